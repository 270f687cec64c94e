"""What TypeScript calls of the clouds' libraries and of a cluster: the same services as in Python (AG110). Pure.

A library is known by its import; a method counts by its name alone, so that one that may write, whatever it is called
on, keeps the finding away.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import sdk
from remit.scan.sight import Used

_SERVICES: Final = (
    ("Google storage", r"@google-cloud/storage",
     r"download|getFiles|getFilesStream|getMetadata|exists|createReadStream|getBuckets|getSignedUrl",
     r"save|upload|createWriteStream|delete\w*|copy|move|rename|makePublic|setMetadata|create\w*|combine|compose"),
    ("BigQuery", r"@google-cloud/bigquery",
     r"query|createQueryJob|createQueryStream|getRows|getTables|getDatasets|getQueryResults",
     r"insert|load|createDataset|createTable|delete|setMetadata|copy|createLoadJob|createInsertStream|createCopyJob"),
    ("Firestore", r"@google-cloud/firestore|firebase-admin",
     r"get|getAll|listDocuments|listCollections|onSnapshot|stream|count",
     r"set|add|update|delete|create|commit|batch|runTransaction|bulkWriter|recursiveDelete"),
    ("Secret Manager", r"@google-cloud/secret-manager", r"accessSecretVersion|getSecret\w*|listSecret\w*",
     r"addSecretVersion|createSecret|deleteSecret|destroySecretVersion|updateSecret|disable\w+|enable\w+"),
    ("Pub/Sub", r"@google-cloud/pubsub", r"pull|on|acknowledge", r"publish\w*|create\w+|delete\w*|topic"),
    ("Azure storage", r"@azure/storage-blob",
     r"download\w*|listBlobs\w*|getProperties|listContainers|exists",
     r"upload\w*|delete\w*|create\w*|set\w+|beginCopy\w*|syncCopy\w*|stageBlock\w*|commit\w+|appendBlock\w*"),
    ("Key Vault", r"@azure/keyvault-secrets", r"getSecret|listPropertiesOf\w+",
     r"setSecret|beginDeleteSecret|beginRecover\w*|updateSecretProperties|purge\w+|restore\w+|backup\w+"),
    ("Cosmos DB", r"@azure/cosmos", r"read|readAll|query|fetchAll|fetchNext",
    r"create\w*|upsert|replace|delete|patch|bulk|batch"),
    ("Azure Search", r"@azure/search-documents", r"search|getDocument|suggest|autocomplete|getDocumentsCount",
     r"uploadDocuments|merge\w*Documents|delete\w+|create\w+|indexDocuments"),
    ("Azure tables", r"@azure/data-tables", r"getEntity|listEntities|listTables",
     r"createEntity|upsertEntity|updateEntity|deleteEntity|submitTransaction|createTable|deleteTable"),
    ("App Configuration", r"@azure/app-configuration", r"getConfigurationSetting|listConfigurationSettings",
     r"(?:add|set|delete)ConfigurationSetting|setReadOnly"),
    ("Service Bus", r"@azure/service-bus", r"receiveMessages|peekMessages|subscribe|createReceiver",
     r"sendMessages|scheduleMessages|createSender"),
)  # fmt: skip
_SHAPES: Final = tuple(
    (name, re.compile(rf"[\"'](?:{library})[\"'/]"), re.compile(rf"\.({reads})\("), re.compile(rf"\.({writes})\("))
    for name, library, reads, writes in _SERVICES
)
_SQL: Final = re.compile(r"(?i)[\"'`]\s*(?:insert|update|delete|merge|create|drop|alter|truncate|grant)\b")
_CLUSTER: Final = re.compile(
    r"\.(list|read|get|watch|create|patch|replace|delete|connect)(?:Collection)?"
    r"(?:(?:Namespaced|Node|Persistent|Cluster|Custom|Pod|Deployment|Job|Event|ConfigMap|Secret|Service)\w*)\("
)


def used(path: str, text: str) -> Iterator[Used]:
    """What code calls of the clouds' libraries and of a cluster."""
    for name, library, reads, writes in _SHAPES:
        if library.search(text):
            if writes.search(text) or (name == "BigQuery" and _SQL.search(text)):
                yield Used(path, f"sdk:{name}", "", writes=True)
            elif reads.search(text):
                yield Used(path, f"sdk:{name}", "", writes=False)
    if "@kubernetes/client-node" in text:
        for one in _CLUSTER.finditer(text):
            yield from sdk.in_cluster(path, one[1])
