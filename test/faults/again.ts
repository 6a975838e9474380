/** The object of a second export, which the same session makes under the same key after the call. */
export const AGAIN = Buffer.from('1\n');
export const AGAIN_QUERY = 'SELECT 1';
