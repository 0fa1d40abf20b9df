/**
 * The credentials that Lambda gives a function: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
 * They are the first link of the SDK's default chain. In the bundles this module stands for the whole chain
 * (`infra/constructs/broker-function.ts`), whose other links (SSO, STS, profiles, metadata services) are a quarter of
 * what a cold start would have to load.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
