import { describe, expect, it } from 'vitest';
import { Parameters } from './parameters.ts';

describe('Parameters', () => {
  it('reads a form, where an empty value is none', () => {
    const parameters = new Parameters('Action=Do&RoleArn=a%2Fb+c&FeatureName=');
    expect(parameters.get('RoleArn')).toBe('a/b c');
    expect(parameters.get('FeatureName')).toBeUndefined();
    expect(() => parameters.required('FeatureName')).toThrow(
      'The request must contain the parameter FeatureName.',
    );
  });

  it('reads filters', () => {
    const parameters = new Parameters(
      'Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=a&Filters.Filter.1.Values.Value.2=b&Filters.Filter.2.Name=other&Filters.Filter.2.Values.Value.1=c',
    );
    expect(parameters.filters(['engine', 'other'])).toEqual([
      { name: 'engine', values: ['a', 'b'] },
      { name: 'other', values: ['c'] },
    ]);
    expect(() => parameters.filters(['engine'])).toThrow('Unrecognized filter name: other');
    expect(() => new Parameters('Filters.Filter.1.Name=engine').filters(['engine'])).toThrow('has no values');
  });

  it.each(['MaxRecords=19', 'MaxRecords=101', 'MaxRecords=many', 'Marker=x'])('refuses %s', (form) => {
    expect(() => new Parameters(form).checkPaging()).toThrow(
      expect.objectContaining({ code: 'InvalidParameterValue' }),
    );
  });

  it.each(['', 'MaxRecords=20', 'MaxRecords=100'])('takes %j', (form) => {
    expect(() => new Parameters(form).checkPaging()).not.toThrow();
  });
});
