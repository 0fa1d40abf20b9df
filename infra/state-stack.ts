import { RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { SecretStore } from './choices.ts';

/**
 * A deployment that fails takes back what it has created, so that it can be repeated. Nothing else takes state away.
 */
const removalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

const kept = {
  billingMode: BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy,
} as const;

/** Name of the due index. */
export const dueIndex = 'due';
/** Name of the index by which connections are listed. */
export const nameIndex = 'names';

/** The table of secrets, and the key that seals them. */
export interface SealedSecrets {
  readonly table: Table;
  readonly key: Secret;
}

export interface StateStackProps extends StackProps {
  /**
   * Where refresh tokens and client secrets are kept. Once `dynamodb`, always `dynamodb`: there is no way back.
   * @default secrets-manager
   */
  readonly secretStore?: SecretStore;
}

/**
 * What must survive everything: the tables and the sealing keys. Neither deleting the stack nor replacing a resource
 * takes them away.
 */
export class StateStack extends Stack {
  readonly table: Table;
  /** Seals access tokens. */
  readonly accessKey: Secret;
  /**
   * Seals refresh tokens that the store of secrets could not take in time. `token`, which reads the first, has no
   * access.
   */
  readonly refreshKey: Secret;
  /** Seals what an authorization request carries through the browser. */
  readonly stateKey: Secret;
  /**
   * Where the connections' own secrets are, unless they are in Secrets Manager. Each writer of a secret needs its key.
   */
  readonly secrets: SealedSecrets | undefined;

  constructor(scope: Construct, id: string, { secretStore = 'secrets-manager', ...props }: StateStackProps = {}) {
    super(scope, id, { description: 'Token broker: state', terminationProtection: true, ...props });

    this.table = new Table(this, 'Connections', {
      ...kept,
      partitionKey: { name: 'connection', type: AttributeType.STRING },
    });
    this.table.addGlobalSecondaryIndex({
      indexName: dueIndex,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    // A connection keeps its name and its shard, so that this one is written when the connection comes and goes alone.
    this.table.addGlobalSecondaryIndex({
      indexName: nameIndex,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'connection', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.accessKey = this.sealingKey('AccessKey', 'access tokens');
    this.refreshKey = this.sealingKey('RefreshKey', 'refresh tokens');
    this.stateKey = this.sealingKey('StateKey', 'authorization requests');
    this.secrets = secretStore === 'dynamodb' ? this.sealedSecrets() : undefined;
  }

  private sealedSecrets(): SealedSecrets {
    const table = new Table(this, 'Secrets', {
      ...kept,
      partitionKey: { name: 'name', type: AttributeType.STRING },
      sortKey: { name: 'versionId', type: AttributeType.STRING },
    });
    return { table, key: this.sealingKey('SecretsKey', 'secrets of connections') };
  }

  private sealingKey(id: string, sealed: string): Secret {
    const key = new Secret(this, id, {
      description: `Token broker: seals ${sealed}`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy,
    });
    Validations.of(key).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Sealed texts name the version of their key: a rotation on a timer would leave texts whose version is pruned.',
    });
    return key;
  }
}
