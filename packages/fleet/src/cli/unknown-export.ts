import { SluiceError } from 'sluice';

export function unknownExport(id: string): SluiceError {
  return new SluiceError('invalid_argument', `the fleet knows no export ${JSON.stringify(id)}`, {
    hint: 'sluice fleet status --all lists those it knows; they are kept for 7 days.',
  });
}
