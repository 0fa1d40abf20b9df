"""
moto, made strict enough to deploy to. What it would skip is an error here, and what its CloudFormation lacks is created
by the service's own API, so that botocore's models check each property's name and type. It prints its URL when it serves.
"""

import json
import os
import re
import select
import socket
import sys
import time
from io import BytesIO
from threading import Lock, Thread

import boto3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto import mock_aws
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.common_models import CloudFormationModel
from moto.events import models as rules
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

import stack_operations

REGION = "us-east-1"
address = ""

# Of the bootstrap stack, and roles: moto's own models, which have been seen to keep what these templates say.
TRUSTED = {
    "AWS::ECR::Repository",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::S3::Bucket",
    "AWS::SSM::Parameter",
}


def client(service):
    """Calls moto inside this process: a request to the server would wait for the lock that its caller holds."""
    return boto3.client(service, region_name=REGION)


def check(service, operation, **parameters):
    """Holds parameters against the service's model, for an operation that moto does not have."""
    shape = client(service).meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise ValueError(f"{operation}: {report.generate_report()}")


def camel(value):
    """CloudWatch Logs writes the names of members with a small letter."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(member) for key, member in value.items()}
    return [camel(member) for member in value] if isinstance(value, list) else value


def picked(properties, *names):
    return {name: properties[name] for name in names if name in properties}


def without(properties, *names):
    return {name: value for name, value in properties.items() if name not in names}


# moto counts instances by the second part of their module.
__name__, started_as = "moto.deployed.models", __name__


class Resource(CloudFormationModel):
    """
    A resource of one type. `FIXED` are the properties of which CloudFormation says `Update requires: Replacement`, and
    `IDENTIFIER` is the one by which it can be imported, where that is provided here.
    """

    TYPE = "abstract"
    FIXED = ()
    IDENTIFIER = None
    LONGEST = 255
    ATTRIBUTES = ()

    @classmethod
    def cloudformation_type(cls):
        return cls.TYPE

    @staticmethod
    def cloudformation_name_type():
        return ""

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, attribute):
        if attribute not in self.attributes:
            raise ValidationError(message=f"{self.TYPE} has no attribute {attribute}")
        return self.attributes[attribute]

    def is_created(self):
        return True

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        resource = cls()
        if len(resource_name) > cls.LONGEST:
            resource_name = resource_name[: cls.LONGEST - 13] + resource_name[-13:]
        resource.name = resource_name
        resource.attributes = {}
        resource.properties = cloudformation_json["Properties"]
        resource.tried("created", lambda: resource.create(resource.properties))
        return resource

    @classmethod
    def adopted(cls, resource_name, cloudformation_json, identifier):
        resource = cls()
        resource.name = resource_name
        resource.attributes = {}
        resource.properties = cloudformation_json["Properties"]
        resource.physical_resource_id = identifier[cls.IDENTIFIER]
        resource.tried("imported", lambda: resource.adopt())
        return resource

    @classmethod
    def there(cls, identifier):
        try:
            cls.described(identifier)
        except (ClientError, LookupError):
            return False
        return True

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        old, new = original_resource.properties, cloudformation_json["Properties"]
        replaced = [name for name in cls.FIXED if old.get(name) != new.get(name)]
        if replaced:
            raise ValidationError(message=f"{original_resource.name}, {cls.TYPE}, would be replaced: {replaced}")
        original_resource.tried("updated", lambda: original_resource.update(new))
        original_resource.properties = new
        return original_resource

    def delete(self, account_id, region_name):
        self.tried("deleted", self.gone)

    def gone(self):
        try:
            self.remove()
        except ClientError as error:
            # moto deletes in no order: what it belongs to may have taken it along.
            if not re.search("NotFound|NonExistent|NoSuch", error.response["Error"]["Code"]):
                raise

    def tried(self, what, act):
        try:
            act()
        except Exception as error:
            # As an answer of CloudFormation's: of an internal error the CLI would only hear that there was one.
            raise ValidationError(message=f"{self.name}, {self.TYPE}, cannot be {what}: {error}") from error

    def update(self, properties):
        self.create(properties)

    def remove(self):
        pass


class Table(Resource):
    TYPE = "AWS::DynamoDB::Table"
    FIXED = ("TableName", "KeySchema", "ImportSourceSpecification")
    IDENTIFIER = "TableName"
    ATTRIBUTES = ("Arn",)

    @staticmethod
    def described(name):
        return client("dynamodb").describe_table(TableName=name)["Table"]

    def adopt(self):
        self.attributes["Arn"] = self.described(self.physical_resource_id)["TableArn"]

    def create(self, properties):
        self.physical_resource_id = properties.get("TableName", self.name)
        made = client("dynamodb").create_table(
            **without(properties, "PointInTimeRecoverySpecification"), TableName=self.physical_resource_id
        )
        self.attributes["Arn"] = made["TableDescription"]["TableArn"]
        self.protect(properties)

    def protect(self, properties):
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            client("dynamodb").update_continuous_backups(
                TableName=self.physical_resource_id, PointInTimeRecoverySpecification=recovery
            )

    def update(self, properties):
        changeable = ("BillingMode", "DeletionProtectionEnabled")
        others = ("PointInTimeRecoverySpecification", "AttributeDefinitions", "GlobalSecondaryIndexes", *changeable)
        if without(properties, *others) != without(self.properties, *others):
            raise ValueError("only its protection and its indexes can be changed here")
        changed = picked(properties, *changeable)
        indexes = self.changed_indexes(properties)
        if indexes:
            changed["GlobalSecondaryIndexUpdates"] = indexes
            changed["AttributeDefinitions"] = properties["AttributeDefinitions"]
        client("dynamodb").update_table(TableName=self.physical_resource_id, **changed)
        self.protect(properties)

    def changed_indexes(self, properties):
        before, after = (
            {index["IndexName"]: index for index in of.get("GlobalSecondaryIndexes", [])}
            for of in (self.properties, properties)
        )
        if any(before[name] != after[name] for name in before.keys() & after.keys()):
            raise ValueError("an index that is there cannot be changed")
        made = [{"Create": after[name]} for name in after.keys() - before.keys()]
        gone = [{"Delete": {"IndexName": name}} for name in before.keys() - after.keys()]
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
        if len(made) + len(gone) > 1:
            raise ValueError("CloudFormation makes or deletes one index of a table in one update")
        return made + gone

    def remove(self):
        client("dynamodb").delete_table(TableName=self.physical_resource_id)


class Secret(Resource):
    TYPE = "AWS::SecretsManager::Secret"
    # Another GenerateSecretString would make another value of the same secret, and no sealed text could be opened.
    FIXED = ("Name", "GenerateSecretString")
    IDENTIFIER = "Id"
    ATTRIBUTES = ("Id",)

    @staticmethod
    def described(arn):
        return client("secretsmanager").describe_secret(SecretId=arn)

    def adopt(self):
        self.attributes["Id"] = self.described(self.physical_resource_id)["ARN"]

    def create(self, properties):
        api = client("secretsmanager")
        value = api.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
        made = api.create_secret(
            Name=self.name, SecretString=value, **without(properties, "GenerateSecretString", "Name")
        )
        self.physical_resource_id = self.attributes["Id"] = made["ARN"]

    def update(self, properties):
        client("secretsmanager").update_secret(
            SecretId=self.physical_resource_id, **picked(properties, "Description", "KmsKeyId")
        )

    def remove(self):
        client("secretsmanager").delete_secret(SecretId=self.physical_resource_id)


class Queue(Resource):
    TYPE = "AWS::SQS::Queue"
    FIXED = ("QueueName", "FifoQueue")
    LONGEST = 80
    ATTRIBUTES = ("Arn", "QueueName", "QueueUrl")

    def attributes_of(self, properties):
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in without(properties, "QueueName").items()
        }

    def create(self, properties):
        api = client("sqs")
        url = api.create_queue(QueueName=self.name, Attributes=self.attributes_of(properties))["QueueUrl"]
        arn = api.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        # The SDK goes where this says, whatever its endpoint is.
        self.physical_resource_id = f"{address}/{arn.split(':')[4]}/{self.name}"
        self.attributes = {"Arn": arn, "QueueName": self.name, "QueueUrl": self.physical_resource_id}

    def update(self, properties):
        client("sqs").set_queue_attributes(
            QueueUrl=self.physical_resource_id, Attributes=self.attributes_of(properties)
        )

    def remove(self):
        client("sqs").delete_queue(QueueUrl=self.physical_resource_id)


class QueuePolicy(Resource):
    TYPE = "AWS::SQS::QueuePolicy"

    def create(self, properties):
        self.physical_resource_id = self.name
        for url in properties["Queues"]:
            attributes = {"Policy": json.dumps(properties["PolicyDocument"])}
            client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


class BucketPolicy(Resource):
    TYPE = "AWS::S3::BucketPolicy"

    def create(self, properties):
        self.physical_resource_id = self.name
        policy = json.dumps(properties["PolicyDocument"])
        # moto would apply it without its conditions, and refuse plain http.
        check("s3", "PutBucketPolicy", Bucket=properties["Bucket"], Policy=policy)


class Topic(Resource):
    TYPE = "AWS::SNS::Topic"
    FIXED = ("TopicName", "FifoTopic")
    ATTRIBUTES = ("TopicArn", "TopicName")

    def create(self, properties):
        arn = client("sns").create_topic(Name=self.name, **without(properties, "TopicName"))["TopicArn"]
        self.physical_resource_id = arn
        self.attributes = {"TopicArn": arn, "TopicName": self.name}

    def remove(self):
        client("sns").delete_topic(TopicArn=self.physical_resource_id)


class TopicPolicy(Resource):
    TYPE = "AWS::SNS::TopicPolicy"

    def create(self, properties):
        self.physical_resource_id = self.name
        for arn in properties["Topics"]:
            client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )


class EventBus(Resource):
    TYPE = "AWS::Events::EventBus"
    FIXED = ("Name",)
    ATTRIBUTES = ("Arn", "Name")

    def create(self, properties):
        arn = client("events").create_event_bus(**properties)["EventBusArn"]
        self.physical_resource_id = properties["Name"]
        self.attributes = {"Arn": arn, "Name": properties["Name"]}

    def update(self, properties):
        if properties != self.properties:
            raise ValueError("it cannot be changed here")

    def remove(self):
        client("events").delete_event_bus(Name=self.physical_resource_id)


class Rule(Resource):
    TYPE = "AWS::Events::Rule"
    FIXED = ("Name", "EventBusName")
    LONGEST = 64
    ATTRIBUTES = ("Arn",)

    def create(self, properties):
        api = client("events")
        pattern = properties.get("EventPattern")
        made = api.put_rule(
            Name=self.name,
            **without(properties, "Targets", "EventPattern", "Name"),
            **({"EventPattern": json.dumps(pattern)} if pattern else {}),
        )
        bus = picked(properties, "EventBusName")
        api.put_targets(Rule=self.name, Targets=properties["Targets"], **bus)
        self.attributes["Arn"] = made["RuleArn"]
        self.physical_resource_id = "|".join([*bus.values(), self.name])

    def remove(self):
        api, bus = client("events"), picked(self.properties, "EventBusName")
        api.remove_targets(Rule=self.name, Ids=[target["Id"] for target in self.properties["Targets"]], **bus)
        api.delete_rule(Name=self.name, **bus)


class LogGroup(Resource):
    TYPE = "AWS::Logs::LogGroup"
    FIXED = ("LogGroupName",)
    IDENTIFIER = "LogGroupName"
    ATTRIBUTES = ("Arn",)

    @staticmethod
    def described(name):
        groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return {group["logGroupName"]: group for group in groups}[name]

    def adopt(self):
        self.attributes["Arn"] = self.described(self.physical_resource_id)["arn"]

    def create(self, properties):
        self.physical_resource_id = properties.get("LogGroupName", self.name)
        named = camel(without(properties, "LogGroupName", "RetentionInDays"))
        client("logs").create_log_group(logGroupName=self.physical_resource_id, **named)
        self.adopt()
        self.update(properties)

    def update(self, properties):
        client("logs").put_retention_policy(
            logGroupName=self.physical_resource_id, retentionInDays=properties["RetentionInDays"]
        )

    def remove(self):
        client("logs").delete_log_group(logGroupName=self.physical_resource_id)


class MetricFilter(Resource):
    TYPE = "AWS::Logs::MetricFilter"
    FIXED = ("LogGroupName", "FilterName")

    def create(self, properties):
        self.physical_resource_id = self.name
        client("logs").put_metric_filter(filterName=self.name, **camel(properties))

    def remove(self):
        client("logs").delete_metric_filter(filterName=self.name, logGroupName=self.properties["LogGroupName"])


class QueryDefinition(Resource):
    TYPE = "AWS::Logs::QueryDefinition"

    def create(self, properties):
        self.physical_resource_id = self.name
        check("logs", "PutQueryDefinition", **camel(properties))


class Function(Resource):
    TYPE = "AWS::Lambda::Function"
    FIXED = ("FunctionName", "PackageType")
    LONGEST = 64
    ATTRIBUTES = ("Arn",)
    APART = ("RecursiveLoop", "ReservedConcurrentExecutions")

    def create(self, properties):
        self.physical_resource_id = properties.get("FunctionName", self.name)
        made = client("lambda").create_function(
            **without(properties, *self.APART, "FunctionName"), FunctionName=self.physical_resource_id
        )
        self.attributes["Arn"] = made["FunctionArn"]
        self.limit(properties)

    def update(self, properties):
        api = client("lambda")
        api.update_function_code(
            FunctionName=self.physical_resource_id, **properties["Code"], **picked(properties, "Architectures")
        )
        configuration = without(properties, *self.APART, "Code", "FunctionName", "Architectures")
        api.update_function_configuration(FunctionName=self.physical_resource_id, **configuration)
        self.limit(properties)

    def limit(self, properties):
        reserved = properties.get("ReservedConcurrentExecutions")
        if reserved is not None:
            client("lambda").put_function_concurrency(
                FunctionName=self.physical_resource_id, ReservedConcurrentExecutions=reserved
            )
        if "RecursiveLoop" in properties:
            check(
                "lambda",
                "PutFunctionRecursionConfig",
                FunctionName=self.physical_resource_id,
                RecursiveLoop=properties["RecursiveLoop"],
            )

    def remove(self):
        client("lambda").delete_function(FunctionName=self.physical_resource_id)


class Permission(Resource):
    TYPE = "AWS::Lambda::Permission"

    def create(self, properties):
        self.physical_resource_id = self.name
        client("lambda").add_permission(StatementId=self.name, **properties)

    def update(self, properties):
        self.remove()
        self.create(properties)

    def remove(self):
        client("lambda").remove_permission(FunctionName=self.properties["FunctionName"], StatementId=self.name)


class EventSourceMapping(Resource):
    TYPE = "AWS::Lambda::EventSourceMapping"
    FIXED = ("EventSourceArn",)

    def create(self, properties):
        self.physical_resource_id = client("lambda").create_event_source_mapping(**properties)["UUID"]

    def update(self, properties):
        client("lambda").update_event_source_mapping(
            UUID=self.physical_resource_id, **without(properties, "EventSourceArn")
        )

    def remove(self):
        client("lambda").delete_event_source_mapping(UUID=self.physical_resource_id)


class EventInvokeConfig(Resource):
    TYPE = "AWS::Lambda::EventInvokeConfig"
    FIXED = ("FunctionName", "Qualifier")

    def create(self, properties):
        self.physical_resource_id = self.name
        client("lambda").put_function_event_invoke_config(**properties)


class Api(Resource):
    TYPE = "AWS::ApiGatewayV2::Api"
    FIXED = ("ProtocolType",)
    ATTRIBUTES = ("ApiEndpoint", "ApiId")

    def create(self, properties):
        made = client("apigatewayv2").create_api(**properties)
        self.physical_resource_id = made["ApiId"]
        self.attributes = {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]}

    def update(self, properties):
        client("apigatewayv2").update_api(ApiId=self.physical_resource_id, **without(properties, "ProtocolType"))

    def remove(self):
        client("apigatewayv2").delete_api(ApiId=self.physical_resource_id)


class OfApi(Resource):
    """What belongs to an API: it goes with the API, too."""

    FIXED = ("ApiId",)

    def create(self, properties):
        made = getattr(client("apigatewayv2"), f"create_{self.KIND}")(**properties)
        self.physical_resource_id = made[f"{self.KIND.title()}Id"]

    def update(self, properties):
        which = {f"{self.KIND.title()}Id": self.physical_resource_id}
        getattr(client("apigatewayv2"), f"update_{self.KIND}")(**which, **properties)

    def remove(self):
        which = {"ApiId": self.properties["ApiId"], f"{self.KIND.title()}Id": self.physical_resource_id}
        getattr(client("apigatewayv2"), f"delete_{self.KIND}")(**which)


class Integration(OfApi):
    TYPE, KIND = "AWS::ApiGatewayV2::Integration", "integration"


class Route(OfApi):
    TYPE, KIND = "AWS::ApiGatewayV2::Route", "route"


class Authorizer(OfApi):
    TYPE, KIND = "AWS::ApiGatewayV2::Authorizer", "authorizer"


class Stage(Resource):
    TYPE = "AWS::ApiGatewayV2::Stage"
    FIXED = ("ApiId", "StageName")

    def create(self, properties):
        self.physical_resource_id = client("apigatewayv2").create_stage(**properties)["StageName"]

    def update(self, properties):
        # moto has no UpdateStage.
        check("apigatewayv2", "UpdateStage", **properties)

    def remove(self):
        client("apigatewayv2").delete_stage(ApiId=self.properties["ApiId"], StageName=self.physical_resource_id)


class Alarm(Resource):
    TYPE = "AWS::CloudWatch::Alarm"
    FIXED = ("AlarmName",)
    ATTRIBUTES = ("Arn",)

    def create(self, properties):
        self.physical_resource_id = self.name
        client("cloudwatch").put_metric_alarm(AlarmName=self.name, **properties)

    def remove(self):
        client("cloudwatch").delete_alarms(AlarmNames=[self.name])


class Dashboard(Resource):
    TYPE = "AWS::CloudWatch::Dashboard"
    FIXED = ("DashboardName",)

    def create(self, properties):
        self.physical_resource_id = properties["DashboardName"]
        client("cloudwatch").put_dashboard(**properties)

    def remove(self):
        client("cloudwatch").delete_dashboards(DashboardNames=[self.physical_resource_id])


def descendants(cls):
    return [cls, *(below for child in cls.__subclasses__() for below in descendants(child))]


KNOWN = {cls.TYPE: cls for cls in descendants(Resource)}
own_model_of = parsing.resource_class_from_type


def model_of(resource_type):
    """Returns the model of a type. moto itself would report the creation of what it skips."""
    model = KNOWN.get(resource_type) or (own_model_of(resource_type) if resource_type in TRUSTED else None)
    if model is None:
        raise ValidationError(message=f"the emulator does not create {resource_type}")
    return model


parsing.resource_class_from_type = model_of
parsing.resource_name_property_from_type = lambda resource_type: model_of(resource_type).cloudformation_name_type()

stack_operations.install(KNOWN)


# The CLI looks there for why a deployment failed, and asks again and again where it gets no answer.
CloudTrailResponse.lookup_events = lambda response: json.dumps({"Events": []})


send_to_targets = rules.Rule.send_to_targets


def send_to_topics(rule, event, transform_input=True):
    """moto fails the whole request where a rule has a topic for its target."""
    every = rule.targets
    topics = [target["Arn"] for target in every if target["Arn"].split(":")[2] == "sns"]
    if rule.event_pattern.matches_event(event):
        for arn in topics:
            client("sns").publish(TopicArn=arn, Message=json.dumps(event))
    rule.targets = [target for target in every if target["Arn"] not in topics]
    send_to_targets(rule, event, transform_input)
    rule.targets = every


rules.Rule.send_to_targets = send_to_topics


class Requests:
    """Deals with one request after the other: without that, moto lets two conditional writes win."""

    def __init__(self, app):
        self.app, self.lock = app, Lock()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/-/faults":
            stack_operations.faults.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
            start_response("204 No Content", [])
            return []
        if environ.get("HTTP_X_AMZ_TARGET") != "AmazonSQS.ReceiveMessage":
            return self.answered(environ, start_response)
        return self.waiting(environ, start_response)

    def answered(self, environ, start_response):
        with self.lock:
            return list(self.app(environ, start_response))

    def waiting(self, environ, start_response):
        """A long poll waits outside the lock, and ends when its client has gone: it would take a message with it."""
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        until = time.monotonic() + asked.get("WaitTimeSeconds", 0)
        body = json.dumps({**asked, "WaitTimeSeconds": 0}).encode()
        while True:
            reply = []
            if gone(environ["werkzeug.socket"]):
                return []
            again = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            content = b"".join(self.answered(again, lambda *head: reply.append(head)))
            if b'"Messages"' in content or not reply[0][0].startswith("200") or time.monotonic() >= until:
                start_response(*reply[0][:2])
                return [content]
            time.sleep(0.05)


def gone(connection):
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args):
        pass


def end_with_its_starter():
    """However the starter ends, this pipe ends with it."""
    sys.stdin.read()
    os._exit(0)


if started_as == "__main__":
    Thread(target=end_with_its_starter, daemon=True).start()
    mock_aws().start()
    server = make_server(
        "127.0.0.1",
        0,
        Requests(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
        request_handler=Quiet,
    )
    address = f"http://127.0.0.1:{server.port}"
    print(f"Running on {address}", file=sys.stderr, flush=True)
    server.serve_forever()
