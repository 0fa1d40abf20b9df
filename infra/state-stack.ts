import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/** Name of the due index. */
export const dueIndex = 'due';

/** What must survive everything: the table and the sealing keys. Neither deleting the stack nor replacing a resource takes them away. */
export class StateStack extends Stack {
  readonly table: Table;
  /** Seals access tokens. */
  readonly accessKey: Secret;
  /** Seals refresh tokens that Secrets Manager could not take in time. Another key, since `token` may read the first. */
  readonly refreshKey: Secret;
  /** Seals what an authorization request carries through the browser. */
  readonly stateKey: Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'Token broker: state', terminationProtection: true });

    this.table = new Table(this, 'Connections', {
      partitionKey: { name: 'connection', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: dueIndex,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.accessKey = this.sealingKey('AccessKey', 'access tokens');
    this.refreshKey = this.sealingKey('RefreshKey', 'refresh tokens');
    this.stateKey = this.sealingKey('StateKey', 'authorization requests');
  }

  private sealingKey(id: string, sealed: string): Secret {
    const key = new Secret(this, id, {
      description: `Token broker: seals ${sealed}`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(key).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Sealed texts name the version of the key that sealed them; a rotation on a timer would leave texts whose version has been pruned.',
    });
    return key;
  }
}
