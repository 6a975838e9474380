import type { QueryCall, QueryOperation } from '../query/query-operation.ts';
import type { IamStore } from './state/iam-store.ts';

interface IamContext {
  readonly store: IamStore;
}

export type IamCall = QueryCall & IamContext;
export type IamOperation = QueryOperation<IamContext>;
