/**
 * What the operations of Secrets Manager take. Parameters that the local one does not support are refused, not ignored.
 * Limits: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
import * as v from 'valibot';
import { ApiError } from '../json-server.ts';

export const maxValueBytes = 65_536;

const secretId = v.pipe(v.string(), v.minLength(1), v.maxLength(2048));
const label = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const versionId = v.pipe(v.string(), v.minLength(32), v.maxLength(64));
const namePattern = /^[A-Za-z0-9/_+=.@!-]+$/;

export const inputs = {
  CreateSecret: v.strictObject({
    Name: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(512),
      v.regex(namePattern, 'only letters, digits and -/_+=.@! are allowed'),
    ),
    ClientRequestToken: versionId,
    SecretString: v.optional(v.string()),
    Description: v.optional(v.pipe(v.string(), v.maxLength(2048))),
    KmsKeyId: v.optional(v.string()),
    Tags: v.optional(v.array(v.strictObject({ Key: v.string(), Value: v.string() }))),
  }),
  GetSecretValue: v.strictObject({
    SecretId: secretId,
    VersionId: v.optional(versionId),
    VersionStage: v.optional(label),
  }),
  PutSecretValue: v.strictObject({
    SecretId: secretId,
    ClientRequestToken: versionId,
    SecretString: v.optional(v.string()),
    VersionStages: v.optional(v.pipe(v.array(label), v.minLength(1), v.maxLength(20))),
  }),
  SecretId: v.strictObject({ SecretId: secretId }),
  DeleteSecret: v.pipe(
    v.strictObject({
      SecretId: secretId,
      RecoveryWindowInDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(7), v.maxValue(30))),
      ForceDeleteWithoutRecovery: v.optional(v.boolean()),
    }),
    v.check(
      (input) => input.RecoveryWindowInDays === undefined || input.ForceDeleteWithoutRecovery !== true,
      'RecoveryWindowInDays and ForceDeleteWithoutRecovery exclude each other',
    ),
  ),
  UpdateSecretVersionStage: v.strictObject({
    SecretId: secretId,
    VersionStage: label,
    RemoveFromVersionId: v.optional(versionId),
    MoveToVersionId: v.optional(versionId),
  }),
};

/** The stored form of a value. An error never shows the value. */
export function contentOf(SecretString: string): string {
  const bytes = Buffer.byteLength(SecretString);
  if (bytes < 1 || bytes > maxValueBytes) {
    throw new ApiError(
      'ValidationException',
      "Value at 'secretString' failed to satisfy constraint: " +
        `Member must have length from 1 to ${maxValueBytes}; it has ${bytes}.`,
    );
  }
  return JSON.stringify({ SecretString });
}
