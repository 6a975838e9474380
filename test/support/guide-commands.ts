/** The aws commands of the guide (Linux form), unchanged except for the placeholders. */

export const createPolicy = (
  bucket: string,
) => `aws iam create-policy  --policy-name rds-s3-export-policy  --policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "s3export",
            "Action": [
              "S3:PutObject"
            ],
            "Effect": "Allow",
            "Resource": [
              "arn:aws:s3:::${bucket}/*"
            ] 
          }
        ] 
      }'`;

export const CREATE_ROLE = `aws iam create-role  --role-name rds-s3-export-role  --assume-role-policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
               "Service": "rds.amazonaws.com"
             },
            "Action": "sts:AssumeRole"
          }
        ] 
      }'`;

export const attachPolicy = (policyArn: string) =>
  `aws iam attach-role-policy  --policy-arn ${policyArn}  --role-name rds-s3-export-role`;

export const addRole = (roleArn: string, region: string) => `aws rds add-role-to-db-cluster \\
     --db-cluster-identifier my-db-cluster \\
     --feature-name s3Export \\
     --role-arn ${roleArn}   \\
     --region ${region}`;
