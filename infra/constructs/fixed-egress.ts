import { Arn, ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  type IVpc,
  NatProvider,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { FunctionBinding } from './bindings.ts';

interface FixedEgressProps {
  /** The allocation id of the Elastic IP address. It is the operator's own, and outlives this stack. */
  readonly address: string;
}

/** What Lambda does with the role of a function to place it in a VPC; the function itself has no use for it. */
const placing = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * A network whose functions reach the internet by one NAT gateway, and so from one address, for providers and firewalls
 * that let in known addresses only. DynamoDB is reached by a gateway endpoint, which costs nothing; the other services
 * of AWS by the NAT gateway.
 */
export class FixedEgress extends Construct {
  readonly vpc: IVpc;
  readonly securityGroup: SecurityGroup;
  /** What the role of each function in it needs. */
  readonly binding: FunctionBinding;

  constructor(scope: Construct, id: string, { address }: FixedEgressProps) {
    super(scope, id);
    // The type of its optional members is not exact.
    this.vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 1,
      natGatewayProvider: NatProvider.gateway({ eipAllocationIds: [address] }),
      subnetConfiguration: [
        { name: 'Gateway', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: 'Functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      gatewayEndpoints: {
        DynamoDb: {
          service: GatewayVpcEndpointAwsService.DYNAMODB,
          subnets: [{ subnetType: SubnetType.PRIVATE_WITH_EGRESS }],
        },
      },
    }) as IVpc;
    Validations.of(this.vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason: 'Nothing listens in it, and what leaves it is in the logs of the functions: flow logs would cost more.',
    });
    this.securityGroup = new SecurityGroup(this, 'Functions', {
      vpc: this.vpc,
      description: 'Functions of the token broker that call providers: nothing comes in',
    });
    const functions = Arn.format(
      { service: 'lambda', resource: 'function', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME },
      Stack.of(this),
    );
    this.binding = {
      environment: {},
      statements: [
        new PolicyStatement({ actions: placing, resources: ['*'] }),
        new PolicyStatement({
          effect: Effect.DENY,
          actions: placing,
          resources: ['*'],
          conditions: { ArnLike: { 'lambda:SourceFunctionArn': functions } },
        }),
      ],
      acknowledge: [
        {
          id: 'AwsSolutions-IAM5[Resource::*]',
          reason: 'Lambda places network interfaces that have no names before; code in the function is denied it.',
        },
      ],
    };
  }
}
