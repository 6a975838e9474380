import { RdsError } from './rds-error.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html */
const FEWEST_RECORDS = 20;
const MOST_RECORDS = 100;

export interface Filter {
  name: string;
  values: readonly string[];
}

/** The parameters of a request in the AWS Query protocol: a form with flattened lists (`Filters.Filter.1.Name`). */
export class Parameters {
  readonly #form: URLSearchParams;

  constructor(body: string) {
    this.#form = new URLSearchParams(body);
  }

  /** Undefined when the parameter is missing or empty. */
  get(name: string): string | undefined {
    const value = this.#form.get(name);
    return value === null || value === '' ? undefined : value;
  }

  /** @throws RdsError `MissingParameter` */
  required(name: string): string {
    const value = this.get(name);
    if (value !== undefined) return value;
    throw new RdsError('MissingParameter', `The request must contain the parameter ${name}.`);
  }

  /**
   * The filters. Their names must be among `known`; a resource must match all of them.
   *
   * @throws RdsError `InvalidParameterValue`
   */
  filters(known: readonly string[]): readonly Filter[] {
    const names = [...this.#form.keys()].flatMap(
      (key) => /^Filters\.\w+\.\d+(?=\.Name$)/.exec(key)?.[0] ?? [],
    );
    return names.map((prefix) => {
      const name = this.required(`${prefix}.Name`);
      if (!known.includes(name))
        throw new RdsError('InvalidParameterValue', `Unrecognized filter name: ${name}`);
      const values = [...this.#form]
        .filter(([key]) => key.startsWith(`${prefix}.Values.`))
        .map(([, value]) => value);
      if (values.length === 0)
        throw new RdsError('InvalidParameterValue', `The filter ${name} has no values.`);
      return { name, values };
    });
  }

  /**
   * Checks the paging parameters. All results fit on one page, so no marker is ever given out, and none can be valid.
   *
   * @throws RdsError `InvalidParameterValue`
   */
  checkPaging(): void {
    const records = this.get('MaxRecords');
    if (
      records !== undefined &&
      !(/^\d{1,3}$/.test(records) && Number(records) >= FEWEST_RECORDS && Number(records) <= MOST_RECORDS)
    ) {
      throw new RdsError(
        'InvalidParameterValue',
        `Invalid value ${records} for MaxRecords. Must be between ${FEWEST_RECORDS} and ${MOST_RECORDS}`,
      );
    }
    if (this.get('Marker') !== undefined)
      throw new RdsError('InvalidParameterValue', 'Invalid value for Marker');
  }
}
