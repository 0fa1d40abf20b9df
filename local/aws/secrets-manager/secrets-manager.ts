/**
 * AWS Secrets Manager for the local broker: the operations that a broker uses, with AWS's semantics and limits, behind
 * AWS's protocol.
 * API: https://docs.aws.amazon.com/secretsmanager/latest/apireference/
 */
import type { DatabaseSync } from 'node:sqlite';
import type * as v from 'valibot';
import type { Endpoint } from '../../platform/loopback.ts';
import { ApiError, accept, type Operation, serveJson } from '../json-server.ts';
import { atomically } from '../storage.ts';
import { contentOf, inputs, maxValueBytes } from './inputs.ts';
import { type SecretRow, SecretStorage, type StoredVersion, type VersionRow } from './storage.ts';

const dayMs = 86_400_000;

interface SecretsManagerFaults {
  /** Connections break without an answer. */
  down: boolean;
  /** Requests take effect at once but are answered this much later. */
  latencyMs: number;
  /** For so long after AWSCURRENT moved, reads by label still see the version before. Reads by version id never lag. */
  staleReadsMs: number;
}

interface SecretsManager extends Endpoint {
  readonly faults: SecretsManagerFaults;
  /** Every version of every secret, by name and id. */
  versions(): readonly StoredVersion[];
}

/**
 * Starts it on a free port of the loopback interface. What it keeps is in `database`, which the caller opens and
 * closes. `faults` may be changed while it runs.
 */
export async function startSecretsManager(options: {
  database: DatabaseSync;
  now?: () => number;
}): Promise<SecretsManager> {
  const faults: SecretsManagerFaults = { down: false, latencyMs: 0, staleReadsMs: 0 };
  const storage = new SecretStorage(options.database, options.now ?? Date.now);
  const operations = operationsOn(options.database, storage, options.now ?? Date.now, faults);
  // A value of 64 KiB grows up to six times when it is written as JSON.
  const endpoint = await serveJson({
    target: 'secretsmanager',
    version: '1.1',
    maxBodyBytes: 7 * maxValueBytes,
    operations,
    faults,
  });
  return { ...endpoint, faults, versions: () => atomically(options.database, () => storage.versionsOfAll()) };
}

function operationsOn(
  database: DatabaseSync,
  storage: SecretStorage,
  now: () => number,
  faults: SecretsManagerFaults,
): Record<string, Operation> {
  const operation =
    <S extends v.GenericSchema>(schema: S, perform: (input: v.InferOutput<S>) => object): Operation =>
    (input) =>
      atomically(database, () =>
        perform(accept(schema, input, (message) => new ApiError('InvalidParameterException', message))),
      );

  const existing = (id: string): SecretRow =>
    storage.find(id) ?? notFound("Secrets Manager can't find the specified secret.");
  const usable = (id: string): SecretRow => {
    const secret = existing(id);
    if (secret.deletion_at === null) return secret;
    throw new ApiError(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  };
  const labelsOf = (arn: string, id: string): string[] =>
    [...storage.labels(arn)].filter(([, holder]) => holder === id).map(([name]) => name);

  /** Adds a version with these labels, or finds the same one already there. */
  function put(secret: SecretRow, id: string, content: string, labels: readonly string[]): void {
    const known = storage.version(secret.arn, id);
    if (known?.value === content) return;
    if (known !== undefined) {
      throw new ApiError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${id} because a version of secret ${secret.arn} has it and another value.`,
      );
    }
    const isFirst = storage.versions(secret.arn).length === 0;
    if (!storage.addVersion(secret.arn, id, content)) {
      throw new ApiError(
        'LimitExceededException',
        `Secret ${secret.arn} has 100 versions, and none of them is unlabelled and older than 24 hours.`,
      );
    }
    for (const name of isFirst ? new Set([...labels, 'AWSCURRENT']) : labels) storage.moveLabel(secret.arn, name, id);
  }

  /**
   * The version that a read by label sees, which is the one before while the label's last move has not arrived
   * everywhere.
   */
  function seenAt(secret: SecretRow, name: string): string | undefined {
    const lags = name === 'AWSCURRENT' && now() - secret.current_since < faults.staleReadsMs;
    return storage.labels(secret.arn).get(lags ? 'AWSPREVIOUS' : name);
  }

  return {
    CreateSecret: operation(inputs.CreateSecret, ({ Name, ClientRequestToken, SecretString, ...attributes }) => {
      const content = SecretString === undefined ? undefined : contentOf(SecretString);
      const there = storage.find(Name) === undefined ? undefined : usable(Name);
      if (
        there !== undefined &&
        (content === undefined || storage.version(there.arn, ClientRequestToken) === undefined)
      ) {
        throw new ApiError(
          'ResourceExistsException',
          `The operation failed because the secret ${Name} already exists.`,
        );
      }
      const secret = there ?? storage.insert(Name, attributes);
      if (content === undefined) return { ARN: secret.arn, Name };
      put(secret, ClientRequestToken, content, ['AWSCURRENT']);
      return { ARN: secret.arn, Name, VersionId: ClientRequestToken };
    }),

    GetSecretValue: operation(inputs.GetSecretValue, ({ SecretId, VersionId, VersionStage }) => {
      const secret = usable(SecretId);
      const name = VersionStage ?? 'AWSCURRENT';
      const id = VersionId ?? seenAt(secret, name);
      const version = id === undefined ? undefined : storage.version(secret.arn, id);
      if (version === undefined) {
        const wanted = VersionId === undefined ? `staging label: ${name}` : `VersionId: ${VersionId}`;
        return notFound(`Secrets Manager can't find the specified secret value for ${wanted}`);
      }
      if (
        VersionId !== undefined &&
        VersionStage !== undefined &&
        storage.labels(secret.arn).get(VersionStage) !== VersionId
      ) {
        throw new ApiError(
          'InvalidRequestException',
          'You provided a VersionStage that is not associated to the provided VersionId.',
        );
      }
      return {
        ARN: secret.arn,
        Name: secret.name,
        ...JSON.parse(version.value),
        ...versionEntry(version, labelsOf(secret.arn, version.version_id)),
      };
    }),

    PutSecretValue: operation(
      inputs.PutSecretValue,
      ({ SecretId, ClientRequestToken, SecretString, VersionStages }) => {
        const secret = usable(SecretId);
        if (SecretString === undefined)
          throw new ApiError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
        put(secret, ClientRequestToken, contentOf(SecretString), VersionStages ?? ['AWSCURRENT']);
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId: ClientRequestToken,
          VersionStages: labelsOf(secret.arn, ClientRequestToken),
        };
      },
    ),

    DescribeSecret: operation(inputs.SecretId, ({ SecretId }) => {
      const secret = existing(SecretId);
      return {
        ARN: secret.arn,
        Name: secret.name,
        ...JSON.parse(secret.attributes),
        CreatedDate: secret.created_at / 1000,
        LastChangedDate: secret.changed_at / 1000,
        ...(secret.deletion_at === null ? {} : { DeletedDate: secret.deletion_at / 1000 }),
        VersionIdsToStages: Object.fromEntries(
          [...storage.labels(secret.arn).values()].map((id) => [id, labelsOf(secret.arn, id)]),
        ),
      };
    }),

    DeleteSecret: operation(inputs.DeleteSecret, ({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }) => {
      if (ForceDeleteWithoutRecovery) {
        const secret = storage.find(SecretId);
        if (secret !== undefined) storage.remove(secret.arn);
        return { ARN: secret?.arn, Name: secret?.name ?? SecretId, DeletionDate: now() / 1000 };
      }
      const secret = usable(SecretId);
      const at = now() + (RecoveryWindowInDays ?? 30) * dayMs;
      storage.setDeletion(secret.arn, at);
      return { ARN: secret.arn, Name: secret.name, DeletionDate: at / 1000 };
    }),

    RestoreSecret: operation(inputs.SecretId, ({ SecretId }) => {
      const secret = existing(SecretId);
      storage.setDeletion(secret.arn, null);
      return { ARN: secret.arn, Name: secret.name };
    }),

    UpdateSecretVersionStage: operation(
      inputs.UpdateSecretVersionStage,
      ({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId }) => {
        const secret = usable(SecretId);
        const holder = storage.labels(secret.arn).get(VersionStage);
        if (RemoveFromVersionId !== holder && (RemoveFromVersionId !== undefined || holder !== MoveToVersionId)) {
          throw new ApiError(
            'InvalidParameterException',
            `Label ${VersionStage} is attached to version ${holder ?? 'none'}; RemoveFromVersionId must name it.`,
          );
        }
        if (MoveToVersionId === undefined && VersionStage === 'AWSCURRENT') {
          throw new ApiError('InvalidParameterException', 'AWSCURRENT can be moved to another version, not removed.');
        }
        if (MoveToVersionId !== undefined && storage.version(secret.arn, MoveToVersionId) === undefined)
          notFound(`There is no version ${MoveToVersionId}.`);
        storage.moveLabel(secret.arn, VersionStage, MoveToVersionId);
        return { ARN: secret.arn, Name: secret.name };
      },
    ),
  };
}

function notFound(message: string): never {
  throw new ApiError('ResourceNotFoundException', message);
}

function versionEntry(
  version: VersionRow,
  labels: string[],
): { VersionId: string; CreatedDate: number; VersionStages?: string[] } {
  return {
    VersionId: version.version_id,
    CreatedDate: version.created_at / 1000,
    ...(labels.length === 0 ? {} : { VersionStages: labels }),
  };
}
