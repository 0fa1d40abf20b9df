"""
What the APIs of an account say of the broker that is deployed there, as JSON: `report.py ENDPOINT DIRECTORY`. Each
function's code is downloaded into the directory, after its digest was compared with the one that Lambda has.
"""

import base64
import hashlib
import io
import json
import os
import sys
import zipfile
from functools import lru_cache

import boto3

endpoint, directory = sys.argv[1:]


@lru_cache
def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def pages(service, operation, member, **parameters):
    paginator = client(service).get_paginator(operation)
    return [item for page in paginator.paginate(**parameters) for item in page[member]]


def resources(stack):
    found = pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack)
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


stacks = {
    stack["StackName"]: {
        "status": stack["StackStatus"],
        "protected": stack.get("EnableTerminationProtection", False),
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        "resources": resources(stack["StackName"]),
    }
    for stack in pages("cloudformation", "describe_stacks", "Stacks")
}
bucket = stacks["CDKToolkit"]["resources"]["StagingBucket"]


def unpacked(function):
    location = client("lambda").get_function(FunctionName=function["FunctionName"])["Code"]["Location"]
    code = client("s3").get_object(Bucket=bucket, Key=location.rsplit("/", 1)[1])["Body"].read()
    digest = base64.b64encode(hashlib.sha256(code).digest()).decode()
    if digest != function["CodeSha256"]:
        raise SystemExit(f"{function['FunctionName']}: S3 has {digest}, Lambda has {function['CodeSha256']}")
    place = os.path.join(directory, hashlib.sha256(code).hexdigest()[:16])
    zipfile.ZipFile(io.BytesIO(code)).extractall(place)
    return place


def policies(role):
    names = pages("iam", "list_role_policies", "PolicyNames", RoleName=role)
    return [client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]


def function(found):
    role = found["Role"].rsplit("/", 1)[1]
    return {
        "name": found["FunctionName"],
        "arn": found["FunctionArn"],
        "directory": unpacked(found),
        "handler": found["Handler"],
        "environment": found.get("Environment", {}).get("Variables", {}),
        "timeoutMs": found["Timeout"] * 1000,
        "memoryMb": found["MemorySize"],
        "policies": policies(role),
    }


def api(found):
    of = {"ApiId": found["ApiId"]}
    routes = pages("apigatewayv2", "get_routes", "Items", **of)
    # moto has no GetAuthorizers.
    authorizers = {route["AuthorizerId"] for route in routes if "AuthorizerId" in route}
    return {
        "url": found["ApiEndpoint"],
        "routes": routes,
        "integrations": pages("apigatewayv2", "get_integrations", "Items", **of),
        "authorizers": [client("apigatewayv2").get_authorizer(AuthorizerId=id, **of) for id in authorizers],
    }


def rule(found):
    targets = client("events").list_targets_by_rule(Rule=found["Name"])["Targets"]
    return {"schedule": found.get("ScheduleExpression"), "state": found["State"], "targets": targets}


print(
    json.dumps(
        {
            "stacks": stacks,
            "functions": [function(found) for found in pages("lambda", "list_functions", "Functions")],
            "apis": [api(found) for found in pages("apigatewayv2", "get_apis", "Items")],
            "eventSources": pages("lambda", "list_event_source_mappings", "EventSourceMappings"),
            "rules": [rule(found) for found in client("events").list_rules()["Rules"]],
            "tables": pages("dynamodb", "list_tables", "TableNames"),
        },
        default=str,
    )
)
