import { isSluiceError, SluiceError, type SluiceErrorCode } from 'sluice';
import { isDatabaseError } from 'sluice/engine';
import { z } from 'zod';
import type { FleetError } from './fleet-export.ts';

/** An error as plain data, for another process. */
const failureSchema = z.object({
  kind: z.enum(['sluice', 'postgres', 'other']),
  /** Of Sluice, or the SQLSTATE. */
  code: z.string().optional(),
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  cancelled: z.boolean().optional(),
});

export type Failure = z.output<typeof failureSchema>;

export function parseFailure(value: unknown): Failure {
  return failureSchema.parse(value);
}

export function failureOf(error: unknown): Failure {
  if (isSluiceError(error)) {
    const { code, message, detail, hint, retryable } = error;
    return { kind: 'sluice', code, message, detail, hint, retryable };
  }
  if (isDatabaseError(error)) {
    const { code, message, detail, hint } = error;
    return { kind: 'postgres', code, message, detail, hint, retryable: false };
  }
  return { kind: 'other', message: error instanceof Error ? error.message : String(error), retryable: false };
}

/** The error of another process, as if it had been thrown here. */
export function errorOf({ kind, code, message, detail, hint, retryable }: Failure): Error {
  switch (kind) {
    case 'sluice':
      return new SluiceError(sluiceCode(code), message, { detail, hint, retryable });
    case 'postgres':
      return Object.assign(new Error(message), { severity: 'ERROR', code, detail, hint });
    case 'other':
      return new SluiceError('internal', 'a worker of the fleet failed', {
        detail: message,
        hint: 'The log of the worker has the whole error.',
      });
    default:
      return kind satisfies never;
  }
}

export function fleetErrorOf(failure: Failure): FleetError {
  const { message, detail, hint } = failure;
  return { code: failure.kind === 'sluice' ? sluiceCode(failure.code) : undefined, message, detail, hint };
}

/** What stands in Redis for people: never a text of PostgreSQL, which may hold values of rows. */
export function publicReason({ kind, code }: Failure): string {
  const what = kind === 'postgres' ? `SQLSTATE ${code ?? 'unknown'}` : (code ?? 'internal');
  return `${what}: see "sluice fleet show", or the log of the worker`;
}

/** Sealed by a member of the fleet, so it is a code, or one of a newer version. */
function sluiceCode(code: string | undefined): SluiceErrorCode {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (code ?? 'internal') as SluiceErrorCode;
}
