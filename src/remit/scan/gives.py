"""Words of servers' and tools' names, by what such a thing gives an agent (AG150). Pure data."""

from typing import Final

MAIL: Final = frozenset(
    {"gmail", "outlook", "imap", "email", "mail", "inbox", "mailbox", "protonmail", "fastmail", "mailboxes"}
)
BOTH_WAYS: Final = frozenset(
    {"playwright", "puppeteer", "browserbase", "browser", "stagehand", "selenium", "discord", "telegram", "whatsapp",
     "twitter", "github", "gitlab",
     "hyperbrowser", "bluesky", "mastodon", "zendesk", "intercom", "freshdesk", "helpscout", "bitbucket", "gitea",
     "browsermcp", "browseruse", "chrome", "chromium", "devtools", "computer", "gorgias", "crisp", "facebook",
     "instagram", "tiktok", "threads", "forgejo", "twitch", "kommo", "chatwoot"}
)  # fmt: skip
STRANGERS: Final = frozenset(
    {"page", "pages", "browse", "fetch", "brave", "tavily", "exa", "firecrawl", "serp", "serpapi", "serper",
     "duckduckgo", "ddg", "web",
     "websearch", "webfetch", "scrape",
     "scraper", "scraping", "crawl", "crawler", "crawl4ai", "rss", "feed", "feeds", "reddit", "hackernews",
     "youtube", "jina", "apify", "perplexity",
     "searxng", "kagi", "bing", "url", "urls", "html", "issues", "issue", "ticket", "tickets", "reviews", "comments",
     "forum", "typeform",
     "webpage", "website", "bright", "brightdata", "arxiv", "scrapingbee", "newsapi", "news", "support", "helpdesk",
     "googlesearch", "trustpilot", "appstore", "wikipedia", "internet", "online", "navigate", "visit", "stackoverflow",
     "pubmed", "social", "mentions", "feedback", "submissions", "inbound", "incoming", "websites", "webpages",
     "serpstack",
     "spider", "oxylabs", "scrapy", "scrapfly", "zenrows", "linkup", "diffbot", "hn", "producthunt", "quora", "g2",
     "sitemap", "complaints", "site",
     "rendered", "browserless", "webscraper", "urlreader", "newsletter", "newsletters", "transcripts",
     "scrapegraph", "feedly", "guestbook"}
)  # fmt: skip
PRIVATE: Final = frozenset(
    {"filesystem", "postgres", "postgresql", "pg", "mysql", "mariadb", "sqlite", "mongo", "mongodb", "bigquery",
     "snowflake", "databricks", "redshift",
     "dynamodb", "mssql", "sqlserver", "oracle", "clickhouse", "supabase", "neon", "elasticsearch", "opensearch",
     "gdrive", "drive", "onedrive",
     "sharepoint", "dropbox", "box", "notion", "confluence", "jira", "atlassian", "obsidian", "salesforce",
     "hubspot", "crm", "stripe", "quickbooks",
     "xero", "s3", "gcs", "vault", "1password", "bitwarden", "calendar", "contacts", "hr", "hris", "workday",
     "bamboohr", "payroll", "kb", "airtable",
     "database", "db", "sql", "warehouse", "customers", "customer", "crmdb", "files", "file", "documents", "records",
     "ledger", "invoices", "invoice",
     "accounts", "patients", "patient", "member", "members", "subscribers", "sales",
     "employee", "employees", "orders", "redis", "kubernetes", "k8s", "aws",
     "netsuite", "sap", "dynamics", "zoho",
     "finance", "billing", "wiki", "medical", "contracts", "contract", "salaries", "secrets", "keychain",
     "directory", "duckdb", "cosmosdb", "pinecone",
     "qdrant", "weaviate", "chroma", "milvus", "pipedrive", "looker", "metabase", "gdocs", "gsheets", "sheets",
     "spreadsheet", "spreadsheets", "googledrive", "asana", "linear", "trello", "clickup", "monday", "basecamp",
     "evernote", "notes", "egnyte", "intranet", "gong", "plaid", "bank", "banking", "brex", "ramp", "shopify",
     "woocommerce", "paypal", "chargebee", "athena", "trino", "cassandra", "couchbase", "dynamo", "firestore",
     "firebase", "cosmos", "timescale", "nocodb", "baserow", "coda", "smartsheet", "servicenow", "okta", "workspace",
     "m365", "office365", "ehr", "fhir", "claims", "deals", "leads", "salary", "payslip", "payslips", "personnel",
     "staff", "passwords", "credentials", "keyvault", "rag", "vectorstore", "retriever", "retrieval", "archive",
     "payments", "payment", "transactions", "subscriptions", "hana", "teradata", "vertica", "db2", "spanner",
     "bigtable", "keeper", "dashlane", "lastpass", "sage", "datev", "gusto", "rippling", "personio", "greenhouse",
     "lever", "ashby", "zuora", "netbox", "snowflake2", "odoo", "erp", "policies", "graphconnectors", "dataverse"}
)  # fmt: skip
OUT: Final = frozenset(
    {"slack", "twilio", "sendgrid", "mailgun", "resend", "ses", "smtp", "sms", "webhook", "webhooks", "zapier",
     "n8n", "pipedream", "ntfy", "pushover",
     "teams", "linkedin", "shell", "terminal", "bash", "ssh", "commander", "http", "https", "requests", "curl",
     "gist", "pastebin", "postmark", "mattermost",
     "send", "post", "publish", "upload", "notify", "reply", "tweet", "dispatch", "mailer", "mailchimp", "outbound",
     "pagerduty", "vonage", "rest",
     "repl", "python", "sender", "poster", "notifier", "line", "signal", "matrix", "httpie", "api", "brevo", "mandrill",
     "sparkpost", "klaviyo", "messagebird", "plivo", "gchat", "rocketchat", "zulip", "lark", "feishu", "dingtalk",
     "wecom", "pushbullet", "viber", "ftp", "sftp", "wordpress", "ghost", "buffer", "make", "ifttt", "sns", "fax",
     "comment", "submit", "share", "forward", "broadcast", "respond", "messenger", "announce", "novu", "courier",
     "outgoing", "export", "sinch", "telnyx", "clickatell"}
)  # fmt: skip
