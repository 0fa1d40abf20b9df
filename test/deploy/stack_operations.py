"""
What moto's CloudFormation lacks: an operation that fails is taken back, and what exists is imported. All of it is read
from the manual, and was never compared with AWS:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (statuses),
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import.html.
"""

import re
from graphlib import TopologicalSorter

from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.cloudformation.utils import generate_stack_id
from moto.core.responses import ActionResult, EmptyResult

faults = []
"""What fails, once each, as an account might have it: the `type` of a resource, and the `reason`."""

importable = {}
"""By their types, the models of what can be imported."""


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"


def references(value):
    """Yields what a part of a template refers to: logical ids, parameters, pseudo parameters."""
    if isinstance(value, list):
        for member in value:
            yield from references(member)
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [member] if isinstance(member, str) else member
            elif key == "Fn::GetAtt":
                yield member[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{([^!.}]+)", member if isinstance(member, str) else member[0])
            yield from references(member)


def ordered(resources):
    """Returns the logical ids, each after those that it refers to."""
    return list(
        TopologicalSorter(
            {logical_id: set(references(resource)) & resources.keys() for logical_id, resource in resources.items()}
        ).static_order()
    )


def imported_exports(template):
    """Yields the names of the exports of other stacks that a template uses."""
    if isinstance(template, dict) and isinstance(template.get("Fn::ImportValue"), str):
        yield template["Fn::ImportValue"]
    for member in template.values() if isinstance(template, dict) else template if isinstance(template, list) else []:
        yield from imported_exports(member)


def tell(stack, status, reason=None, logical_id=None):
    """Notes what became of a resource, or of the stack, where the CLI looks for it."""
    event = models.Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=logical_id or stack.name,
        physical_resource_id=stack.stack_id if logical_id is None else "",
        resource_type="AWS::CloudFormation::Stack" if logical_id is None else type_of(stack, logical_id),
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    stack.events.append(event)
    if logical_id is None:
        stack.status = status


def said(error):
    return getattr(error, "message", None) or str(error)


def type_of(stack, logical_id):
    return getattr(stack.resource_map._parsed_resources.get(logical_id), "cf_resource_type", None) or (
        stack.template_dict["Resources"].get(logical_id, {}).get("Type", "")
    )


class Operation:
    """One operation on a stack: CREATE, UPDATE or IMPORT. `identifiers` are those of what it imports."""

    def __init__(self, backend, stack, verb, template, parameters, identifiers):
        self.backend, self.stack, self.verb = backend, stack, verb
        self.template, self.parameters, self.identifiers = template, parameters, identifiers
        self.resources = stack.resource_map
        self.former = (stack.template, stack.template_dict, self.resources.input_parameters)
        self.before = stack.template_dict.get("Resources", {})
        self.created, self.updated, self.adopted = [], [], []

    def run(self):
        exports = {export.name: export.value for export in self.stack.exports}
        tell(self.stack, f"{self.verb}_IN_PROGRESS", "User Initiated")
        try:
            self.load(self.template, self.stack.parse_template(self.template), self.parameters)
            after = self.wanted(self.stack.template_dict["Resources"])
            for logical_id in ordered(after):
                self.advance(logical_id, after[logical_id])
            self.publish(exports)
        except Exception as failure:
            self.roll_back(failure)
            return
        # What is not in the template any more goes last, when nothing can fail; what cannot be deleted is left.
        for logical_id in reversed(ordered({id: it for id, it in self.before.items() if id not in after})):
            forget(self.stack, logical_id, self.before[logical_id], made_now=False)
        tell(self.stack, f"{self.verb}_COMPLETE")

    def load(self, template, parsed, parameters):
        stack, resources = self.stack, self.resources
        stack.template, stack.template_dict = template, parsed
        stack.description = parsed.get("Description")
        stack.parameters = resources.input_parameters = parameters
        resources._template, resources._resource_json_map = parsed, parsed.get("Resources", {})
        resources.load()
        stack.output_map = stack._create_output_map()

    def wanted(self, resources):
        met = {None: True, **self.resources.lazy_condition_map}
        return {logical_id: resource for logical_id, resource in resources.items() if met[resource.get("Condition")]}

    def advance(self, logical_id, resource):
        before = self.before.get(logical_id)
        if logical_id in self.identifiers:
            self.adopted.append(logical_id)
            self.step(logical_id, "IMPORT", lambda: self.adopt(logical_id, resource))
        elif before is None:
            self.step(logical_id, "CREATE", lambda: self.resources[logical_id])
            self.created.append(logical_id)
        elif {"Properties": {}, **before} != {"Properties": {}, **resource}:
            # What fails may have been changed in part: it is changed back as well.
            self.updated.append(logical_id)
            self.step(logical_id, "UPDATE", lambda: self.update(logical_id, resource))

    def step(self, logical_id, verb, act):
        """Acts on a resource, unless a fault of its type was asked for, and notes what came of it."""
        try:
            if verb != "IMPORT":
                fail_as_asked(type_of(self.stack, logical_id))
            act()
        except Exception as error:
            tell(self.stack, f"{verb}_FAILED", said(error), logical_id)
            raise ValidationError(message=f"{logical_id}: {said(error)}") from error
        tell(self.stack, f"{verb}_COMPLETE", None, logical_id)

    def update(self, logical_id, resource):
        self.resources._parsed_resources[logical_id] = parsing.parse_and_update_resource(
            logical_id, resource, self.resources, self.resources._account_id, self.resources._region_name
        )

    def adopt(self, logical_id, resource):
        model, resolved, name = parsing.parse_resource_and_generate_name(logical_id, resource, self.resources)
        adopted = model.adopted(name, resolved, self.identifiers[logical_id])
        adopted.cf_resource_type, adopted.logical_resource_id = resource["Type"], logical_id
        self.resources._parsed_resources[logical_id] = adopted

    def publish(self, former):
        """Exports what the template says. What another stack uses can be neither taken away nor changed."""
        exports = {export.name: export for export in self.stack.exports}
        refuse_used(
            self.backend,
            self.stack,
            {name for name, value in former.items() if name not in exports or exports[name].value != value},
        )
        taken = exports.keys() & (self.backend.exports.keys() - former.keys())
        if taken:
            raise ValidationError(message=f"Export with name {min(taken)} is already exported by another stack")
        for name in former:
            self.backend.exports.pop(name)
        self.backend.exports.update(exports)

    def roll_back(self, failure):
        stack, rollback = self.stack, "ROLLBACK" if self.verb == "CREATE" else f"{self.verb}_ROLLBACK"
        tell(stack, f"{rollback}_IN_PROGRESS", f"The following resource(s) failed: {said(failure)}")
        made = {id: stack.template_dict["Resources"][id] for id in reversed(self.created)}
        for logical_id in self.adopted:
            self.resources._parsed_resources.pop(logical_id, None)
        if self.verb == "CREATE":
            left = {id: it for id, it in made.items() if not forget(stack, id, it, made_now=True)}
            empty(stack, left)
            return tell(stack, "ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", said(failure))
        self.load(*self.former)
        try:
            for logical_id in reversed(self.updated):
                self.step(logical_id, "UPDATE", lambda: self.update(logical_id, self.before[logical_id]))
        except ValidationError as error:
            return tell(stack, f"{rollback}_FAILED", said(error))
        for logical_id, resource in made.items():
            forget(stack, logical_id, resource, made_now=True)
        tell(stack, f"{rollback}_COMPLETE", said(failure))


def fail_as_asked(resource_type):
    for fault in faults:
        if fault["type"] == resource_type:
            faults.remove(fault)
            raise ValidationError(message=fault["reason"])


def forget(stack, logical_id, resource, made_now):
    """
    Deletes a resource that its policy does not retain, and returns whether it is no longer the stack's.
    `RetainExceptOnCreate` retains nothing in the operation that made it.
    """
    policy = resource.get("DeletionPolicy", "Delete")
    resources = stack.resource_map
    if policy == "Retain" or (policy == "RetainExceptOnCreate" and not made_now):
        tell(stack, "DELETE_SKIPPED", None, logical_id)
    elif logical_id in resources._parsed_resources:
        try:
            resources._delete_resource(resources._parsed_resources[logical_id], resource)
        except Exception as error:
            tell(stack, "DELETE_FAILED", said(error), logical_id)
            return False
        tell(stack, "DELETE_COMPLETE", None, logical_id)
    resources._parsed_resources.pop(logical_id, None)
    return True


def empty(stack, left):
    """Leaves the stack these resources alone, and no outputs: moto creates anew what it looks for and does not find."""
    stack.resource_map._resource_json_map = left
    stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack.stack_id)


def refuse_used(backend, stack, exports):
    for other in backend.stacks.values():
        used = exports & set(imported_exports(other.template_dict))
        if used and other is not stack:
            raise ValidationError(message=f"Cannot delete export {min(used)} as it is in use by {other.name}")


def create_stack(backend, name, template, parameters, notification_arns=None, tags=None, role_arn=None, **options):
    if name in [stack.name for stack in backend.stacks.values()]:
        raise AlreadyExistsException(f"Stack {name} already exists")
    stack = new_stack(backend, name, parameters, tags, role_arn)
    stack.enable_termination_protection = options.get("enable_termination_protection") in (True, "true")
    Operation(backend, stack, "CREATE", template, parameters, {}).run()
    return stack


def new_stack(backend, name, parameters, tags, role_arn):
    stack_id = generate_stack_id(name, backend.region_name, backend.account_id)
    stack = backend.stacks[stack_id] = models.Stack(
        stack_id, name, {}, parameters, backend.account_id, backend.region_name, None, tags, role_arn, backend.exports
    )
    # An empty dictionary is taken for none.
    stack.cross_stack_resources = stack.resource_map.cross_stack_resources = backend.exports
    return stack


def update_stack(backend, name, template, role_arn, parameters, tags):
    stack = backend.get_stack(name)
    # The previous value of a parameter that was never given is its default.
    given = {it["ParameterKey"]: it["ParameterValue"] for it in parameters if "ParameterValue" in it}
    Operation(backend, stack, "UPDATE", template, {**stack.parameters, **given}, {}).run()
    stack.role_arn, stack.tags = role_arn, stack.tags if tags is None else tags
    return stack


def delete_stack(backend, name_or_id):
    stack = next((it for it in backend.stacks.values() if name_or_id in (it.name, it.stack_id)), None)
    if stack is None:
        return
    if stack.enable_termination_protection:
        raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    exports = {export.name for export in stack.exports}
    refuse_used(backend, stack, exports)
    tell(stack, "DELETE_IN_PROGRESS", "User Initiated")
    resources = stack.resource_map._resource_json_map
    left = [id for id in reversed(ordered(resources)) if not forget(stack, id, resources[id], made_now=False)]
    if left:
        return tell(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: {left}")
    empty(stack, {})
    tell(stack, "DELETE_COMPLETE")
    backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
    for name in exports:
        backend.exports.pop(name)


def refuse_as_import(before, template, identifiers):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import.html, and the service's words."""
    after = template["Resources"]
    faulty = [id for id in identifiers if "DeletionPolicy" not in after.get(id, {})]
    if faulty:
        raise ValidationError(message=f"Resources {faulty} to import have no DeletionPolicy in the template")
    if {id: it for id, it in after.items() if id not in identifiers} != before.get("Resources", {}):
        raise ValidationError(message="An import changes, adds and removes nothing but what it imports")
    if template.get("Outputs", {}) != before.get("Outputs", {}):
        raise ValidationError(message="As part of the import operation, you cannot modify or add [Outputs]")


def named_and_there(before, template):
    """
    What the manual says is imported without being asked for, where it is asked for at all:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    found = {}
    for logical_id, resource in template["Resources"].items():
        model, properties = importable.get(resource["Type"]), resource.get("Properties", {})
        name = model and model.IDENTIFIER
        if logical_id in before.get("Resources", {}) or not isinstance(properties.get(name), str):
            continue
        if resource.get("DeletionPolicy", "").startswith("Retain") and model.there(properties[name]):
            found[logical_id] = {name: properties[name]}
    return found


def refuse_foreign(backend, template, identifiers):
    owned = {
        getattr(resource, "physical_resource_id", None)
        for stack in backend.stacks.values()
        for resource in stack.resource_map._parsed_resources.values()
    }
    for logical_id, identifier in identifiers.items():
        model = importable.get(template["Resources"][logical_id]["Type"])
        name = model and model.IDENTIFIER
        if list(identifier) != [name]:
            raise ValidationError(message=f"{logical_id} is identified by {name}, not by {list(identifier)}")
        if not model.there(identifier[name]):
            raise ValidationError(message=f"{logical_id}: there is no {model.TYPE} with {identifier}")
        if identifier[name] in owned:
            raise ValidationError(message=f"{logical_id}: {identifier[name]} already belongs to a stack")


class ChangeSets(responses.CloudFormationResponse):
    """Change sets that import, and whose execution brings outputs."""

    def create_change_set(self):
        backend, name = self.cloudformation_backend, self._get_param("StackName")
        verb = self._get_param("ChangeSetType", "CREATE")
        text = self._get_param("TemplateBody") or self._get_stack_from_s3_url(self._get_param("TemplateURL"))
        template = models.Stack.parse_template(text)
        given = self._get_param("Parameters", [])
        unknown = [it["ParameterKey"] for it in given if it["ParameterKey"] not in template.get("Parameters", {})]
        if unknown:
            raise ValidationError(message=f"Parameters: {unknown} do not exist in the template")
        parameters = {it["ParameterKey"]: it["ParameterValue"] for it in given if "ParameterValue" in it}
        tags = {item["Key"]: item["Value"] for item in self._get_param("Tags", [])}
        there = next((it for it in backend.stacks.values() if name in (it.name, it.stack_id)), None)
        if there is None and verb == "UPDATE":
            raise ValidationError(name)
        before = there.template_dict if there else {}
        asked = self._get_param("ResourcesToImport", [])
        identifiers = {it["LogicalResourceId"]: it["ResourceIdentifier"] for it in asked}
        if verb == "IMPORT":
            refuse_as_import(before, template, identifiers)
        elif self._get_param("ImportExistingResources") in (True, "true"):
            identifiers = named_and_there(before, template)
        refuse_foreign(backend, template, identifiers)
        stack = there or new_stack(backend, name, parameters, tags, self._get_param("RoleARN"))
        if there is None:
            tell(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        made = models.ChangeSet(
            verb,
            models.generate_changeset_id(self._get_param("ChangeSetName"), backend.region_name, backend.account_id),
            self._get_param("ChangeSetName"),
            stack,
            text,
            {**stack.parameters, **parameters},
            self._get_param("Description"),
            None,
            tags,
            self._get_param("RoleARN"),
        )
        made.identifiers = identifiers
        for change in made.changes:
            change.action = "Import" if change.logical_resource_id in identifiers else change.action
        made.status, made.execution_status = "CREATE_COMPLETE", "AVAILABLE"
        if template == stack.template_dict:
            made.status, made.execution_status = "FAILED", "UNAVAILABLE"
            made.status_reason = "The submitted information didn't contain changes."
        backend.change_sets[made.change_set_id] = made
        return ActionResult({"Id": made.change_set_id, "StackId": stack.stack_id})

    def found(self):
        name = self._get_param("ChangeSetName")
        for change_set in self.cloudformation_backend.change_sets.values():
            if name in (change_set.change_set_id, change_set.change_set_name):
                return change_set
        raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")

    def describe_change_set(self):
        return ActionResult(self.found())

    def delete_change_set(self):
        name = self._get_param("ChangeSetName")
        sets = self.cloudformation_backend.change_sets
        for id in [id for id, it in sets.items() if name in (id, it.change_set_name)]:
            sets.pop(id)
        return EmptyResult()

    def execute_change_set(self):
        it = self.found()
        self.cloudformation_backend.change_sets.pop(it.change_set_id)
        verb = it.change_set_type
        Operation(self.cloudformation_backend, it.stack, verb, it.template, it.parameters, it.identifiers).run()
        return EmptyResult()

    def update_termination_protection(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_param("EnableTerminationProtection") in (True, "true")
        return ActionResult({"StackId": stack.stack_id})


def install(known):
    """Has moto's CloudFormation do all this, with these models by their types."""
    importable.update({name: model for name, model in known.items() if model.IDENTIFIER})
    for act in (create_stack, update_stack, delete_stack):
        setattr(models.CloudFormationBackend, act.__name__, act)
    for name, act in vars(ChangeSets).items():
        if callable(act):
            setattr(responses.CloudFormationResponse, name, act)
