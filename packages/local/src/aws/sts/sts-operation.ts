import type { IamStore } from '../iam/state/iam-store.ts';
import type { QueryCall, QueryOperation } from '../query/query-operation.ts';

export interface StsContext {
  readonly store: IamStore;
  /** The shortest session that may be asked for. */
  readonly minSessionSeconds: number;
}

export type StsCall = QueryCall & StsContext;
export type StsOperation = QueryOperation<StsContext>;
