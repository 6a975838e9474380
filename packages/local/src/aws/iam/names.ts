/** `arn:aws:iam::123456789012:role/path/name` */
export function iamArn(
  accountId: string,
  type: 'user' | 'role' | 'policy',
  { path, name }: { readonly path: string; readonly name: string },
): string {
  return `arn:aws:iam::${accountId}:${type}${path}${name}`;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumedRoleUser.html: without the role's path. */
export function assumedRoleArn(accountId: string, roleName: string, sessionName: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
}

/** As IAM writes dates. */
export function iamDate(date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
