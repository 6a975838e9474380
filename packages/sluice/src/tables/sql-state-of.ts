/** The SQLSTATE of an error that PostgreSQL has raised. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'severity' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
