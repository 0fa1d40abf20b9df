/** What `report.py` says, as far as it is used. Members are called as the services call them. */

import type { FunctionDefinition } from '../../local/platform/deployment.ts';

/** A document of IAM's policy language. */
interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly object[];
}

interface ReportedFunction extends Omit<FunctionDefinition, 'reservedConcurrency'> {
  readonly policies: readonly PolicyDocument[];
}

export interface ReportedApi {
  readonly url: string;
  readonly routes: readonly {
    readonly RouteKey: string;
    readonly Target: string;
    readonly AuthorizationType: 'AWS_IAM' | 'JWT' | 'NONE';
    readonly AuthorizerId?: string;
  }[];
  readonly integrations: readonly {
    readonly IntegrationId: string;
    readonly IntegrationUri: string;
    readonly TimeoutInMillis?: number;
  }[];
  readonly authorizers: readonly {
    readonly AuthorizerId: string;
    readonly JwtConfiguration: { readonly Issuer: string; readonly Audience: readonly string[] };
  }[];
}

export interface Report {
  readonly stacks: Readonly<
    Record<
      string,
      {
        readonly status: string;
        readonly protected: boolean;
        readonly outputs: Readonly<Record<string, string>>;
        /** Physical ids by logical id. */
        readonly resources: Readonly<Record<string, string>>;
      }
    >
  >;
  readonly functions: readonly ReportedFunction[];
  readonly apis: readonly ReportedApi[];
  readonly eventSources: readonly {
    readonly EventSourceArn: string;
    readonly FunctionArn: string;
    readonly BatchSize: number;
    readonly ScalingConfig: { readonly MaximumConcurrency: number };
    readonly FunctionResponseTypes: readonly string[];
  }[];
  readonly rules: readonly {
    readonly schedule: string | null;
    readonly state: string;
    readonly targets: readonly { readonly Arn: string; readonly Input?: string }[];
  }[];
  readonly tables: readonly string[];
}
