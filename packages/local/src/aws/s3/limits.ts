/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const LARGEST_UPLOAD_BYTES = 5 * 1024 ** 3;
/** 48.8 TiB: ten thousand parts of 5 GiB. */
export const LARGEST_OBJECT_BYTES = 10_000 * LARGEST_UPLOAD_BYTES;
export const SMALLEST_PART_BYTES = 5 * 1024 ** 2;
export const MOST_PARTS = 10_000;
export const LONGEST_KEY_BYTES = 1024;
