/** The presets there are, by name. Written by `npm run presets` from the files beside it: do not edit. */
import { byName } from '../by-name.ts';
import box from './box.ts';
import businessCentral from './business-central.ts';
import businessCentralClientCredentials from './business-central-client-credentials.ts';
import datev from './datev.ts';
import exactOnline from './exact-online.ts';
import fortnox from './fortnox.ts';
import freee from './freee.ts';
import freshbooks from './freshbooks.ts';
import genericOauth2 from './generic-oauth2.ts';
import google from './google.ts';
import hubspot from './hubspot.ts';
import ixonServiceAccount from './ixon-service-account.ts';
import ixonUser from './ixon-user.ts';
import maesn from './maesn.ts';
import moneybird from './moneybird.ts';
import netsuite from './netsuite.ts';
import qonto from './qonto.ts';
import quickbooks from './quickbooks.ts';
import sageAccounting from './sage-accounting.ts';
import sageIntacctClientCredentials from './sage-intacct-client-credentials.ts';
import sageIntacctRest from './sage-intacct-rest.ts';
import sageIntacctXml from './sage-intacct-xml.ts';
import salesforce from './salesforce.ts';
import shopify from './shopify.ts';
import twinfield from './twinfield.ts';
import vismaEaccounting from './visma-eaccounting.ts';
import wise from './wise.ts';
import xero from './xero.ts';
import xeroCustomConnection from './xero-custom-connection.ts';
import zoho from './zoho.ts';

export const knownPresets = byName([
  box,
  businessCentral,
  businessCentralClientCredentials,
  datev,
  exactOnline,
  fortnox,
  freee,
  freshbooks,
  genericOauth2,
  google,
  hubspot,
  ixonServiceAccount,
  ixonUser,
  maesn,
  moneybird,
  netsuite,
  qonto,
  quickbooks,
  sageAccounting,
  sageIntacctClientCredentials,
  sageIntacctRest,
  sageIntacctXml,
  salesforce,
  shopify,
  twinfield,
  vismaEaccounting,
  wise,
  xero,
  xeroCustomConnection,
  zoho,
]);
