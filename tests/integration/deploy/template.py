"""The template as CloudFormation would read it: intrinsics resolved, for one set of parameters."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from attrs import field, frozen

TEMPLATE = Path(__file__).parents[3] / "deploy" / "template.yaml"
REGION, ACCOUNT = "eu-west-1", "123456789012"
ABSENT = object()
"""AWS::NoValue."""

# What Ref and GetAtt give, by type (CloudFormation template reference, "Return values").
NAME_PROPERTIES = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Serverless::LayerVersion": "LayerName",
    "AWS::IAM::Role": "RoleName",
}
ARNS = {
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::Serverless::LayerVersion": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{{}}:1",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
}
REFS = {
    "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{}}",
    "AWS::SNS::Topic": ARNS["AWS::SNS::Topic"],
    "AWS::Serverless::LayerVersion": ARNS["AWS::Serverless::LayerVersion"],
}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads `!Sub x` as `{"Fn::Sub": x}`."""


def _intrinsic(loader: Any, suffix: str, node: Any) -> dict[str, Any]:  # noqa: ANN401
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read_document() -> dict[str, Any]:
    """Read the template as it is written."""
    return dict(yaml.load(TEMPLATE.read_text(), _Loader))  # noqa: S506 - a SafeLoader


@frozen
class Stack:
    """The template with its parameters given."""

    given: Mapping[str, str]
    name: str = "camclip-test"
    document: dict[str, Any] = field(factory=read_document, init=False)

    def properties(self, resource: str) -> dict[str, Any]:
        """Return a resource's properties, resolved."""
        return dict(self.resolve(self.document["Resources"][resource]["Properties"]))

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type that are made, by name."""
        return {
            name: self.properties(name)
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == kind and self._holds(resource.get("Condition"))
        }

    def statements(self) -> list[dict[str, Any]]:
        """Return the statements of the function's role."""
        (policy,) = self.properties("Role")["Policies"]
        return list(policy["PolicyDocument"]["Statement"])

    def environment(self) -> dict[str, str]:
        """Return the function's environment: CloudFormation turns numbers into text."""
        variables = self.properties("Function")["Environment"]["Variables"]
        return {name: str(value) for name, value in variables.items()}

    def resolve(self, node: Any) -> Any:  # noqa: ANN401, C901 - YAML; a table of intrinsics
        match node:
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": path}:
                return self._attribute(*path.split("."))
            case {"Fn::Sub": [text, names]}:
                return self._substitute(text, {key: self.resolve(v) for key, v in names.items()})
            case {"Fn::Sub": text}:
                return self._substitute(text, {})
            case {"Fn::If": [condition, then, otherwise]}:
                return self.resolve(then if self._holds(condition) else otherwise)
            case {"Fn::FindInMap": [name, first, second]}:
                return self.document["Mappings"][name][str(self.resolve(first))][second]
            case {"Fn::Equals": [one, other]}:
                return self.resolve(one) == self.resolve(other)
            case {"Fn::Not": [one]}:
                return not self.resolve(one)
            case dict():
                assert not any(key.startswith("Fn::") for key in node), node
                resolved = {key: self.resolve(value) for key, value in node.items()}
                return {key: value for key, value in resolved.items() if value is not ABSENT}
            case list():
                return [value for value in map(self.resolve, node) if value is not ABSENT]
            case _:
                return node

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.resolve(self.document["Conditions"][condition]))

    def _ref(self, name: str) -> Any:  # noqa: ANN401
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": ABSENT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": self.name,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.document["Parameters"]:
            parameter = self.document["Parameters"][name]
            return self.given[name] if name in self.given else parameter["Default"]
        kind = self.document["Resources"][name]["Type"]
        return REFS.get(kind, "{}").format(self._name(name))

    def _attribute(self, resource: str, attribute: str) -> str:
        if attribute == "Arn":
            return ARNS[self.document["Resources"][resource]["Type"]].format(self._name(resource))
        assert attribute == "QueueName"
        return self._name(resource)

    def _name(self, resource: str) -> str:
        described = self.document["Resources"][resource]
        given = described["Properties"].get(NAME_PROPERTIES[described["Type"]])
        return str(self.resolve(given)) if given else f"{self.name}-{resource}"

    def _substitute(self, text: str, names: Mapping[str, object]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in names:
                return str(names[name])
            return self._attribute(*name.split(".")) if "." in name else str(self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
