/** Policy variables such as `${aws:username}` exist only from 2012-10-17 on. */
export type PolicyVersion = '2008-10-17' | '2012-10-17';
