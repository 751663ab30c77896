"""The values of the sample settings, which name no deployment."""

import re

import attrs

from entrypoints.settings import AwsSettings

SAMPLE = re.compile(
    # Addresses that are reserved for documentation (RFC 2606).
    r"https?://([\w.-]+\.)?example(\.(com|net|org))?([:/].*)?"
    r"|cameras-(recordings|service-clips-cdn)-(sandbox|staging|prod)"
    r"|(arn:aws:sns:us-west-1:|https://sqs\.us-west-1\.amazonaws\.com/)123456789012[:/].+"
)


def sample_values(settings: AwsSettings) -> list[str]:
    """Return the names of the variables that have the value of a sample."""
    return [
        str(attribute.metadata["variable"])
        for attribute in attrs.fields(AwsSettings)
        if SAMPLE.fullmatch(str(getattr(settings, attribute.name)))
    ]
