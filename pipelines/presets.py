"""Header names of four CRMs, as data: our column name to theirs, by table.

Only names that the vendors document, and only where one export column holds what we mean:

- Salesforce: API names of Lead, Task, LeadHistory, Contact and Account ("Object Reference for the
  Salesforce Platform", developer.salesforce.com).
- HubSpot: internal property names of contacts and companies (developers.hubspot.com, "CRM API,
  properties"); choose "internal names" when exporting, the labels differ by language.
- Dynamics 365: logical names of lead, activitypointer, opportunity, contact and account
  (learn.microsoft.com, "Lead table/entity reference").
- Marketo: REST names of Bulk Lead Extract and Bulk Activity Extract (experienceleague.adobe.com).

Salesforce marks a deleted record with the flag IsDeleted and a merged one with MasterRecordId as well; such
records come with queryAll only. Their moment is SystemModstamp: export it as ``deleted_at`` where IsDeleted
is true, and empty elsewhere.

Salesforce and HubSpot keep no lead id on an opportunity or deal: join it before the export.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Headers: TypeAlias = Mapping[str, Mapping[str, str]]

_SALESFORCE: Headers = {
    "leads": {
        "lead_id": "Id",
        "created_at": "CreatedDate",
        "source": "LeadSource",
        "owner": "OwnerId",
        "country": "Country",
        "name": "Name",
        "email": "Email",
        "phone": "Phone",
        "title": "Title",
        "company": "Company",
        "website": "Website",
        "merged_into": "MasterRecordId",
    },
    "touches": {
        "lead_id": "WhoId",
        "occurred_at": "ActivityDate",
        "recorded_at": "CreatedDate",
        "kind": "TaskSubtype",
        "duration_seconds": "CallDurationInSeconds",
    },
    "field_history": {
        "lead_id": "LeadId",
        "field": "Field",
        "changed_at": "CreatedDate",
        "old_value": "OldValue",
        "new_value": "NewValue",
    },
    "contacts": {"contact_id": "Id", "account_id": "AccountId", "title": "Title"},
    "accounts": {
        "account_id": "Id",
        "name": "Name",
        "industry": "Industry",
        "employees": "NumberOfEmployees",
        "revenue": "AnnualRevenue",
        "country": "BillingCountry",
    },
}

_HUBSPOT: Headers = {
    "leads": {
        "lead_id": "hs_object_id",
        "created_at": "createdate",
        "source": "hs_analytics_source",
        "owner": "hubspot_owner_id",
        "account_id": "associatedcompanyid",
        "country": "country",
        "email": "email",
        "phone": "phone",
        "title": "jobtitle",
        "company": "company",
        "website": "website",
    },
    "contacts": {"contact_id": "hs_object_id", "account_id": "associatedcompanyid", "title": "jobtitle"},
    "accounts": {
        "account_id": "hs_object_id",
        "name": "name",
        "industry": "industry",
        "employees": "numberofemployees",
        "revenue": "annualrevenue",
        "country": "country",
    },
}

_DYNAMICS: Headers = {
    "leads": {
        "lead_id": "leadid",
        "created_at": "createdon",
        "source": "leadsourcecode",
        "campaign": "campaignid",
        "owner": "ownerid",
        "country": "address1_country",
        "name": "fullname",
        "email": "emailaddress1",
        "phone": "telephone1",
        "title": "jobtitle",
        "company": "companyname",
        "website": "websiteurl",
    },
    "touches": {
        "lead_id": "regardingobjectid",
        "occurred_at": "actualend",
        "recorded_at": "createdon",
        "kind": "activitytypecode",
    },
    "outcomes": {
        "lead_id": "originatingleadid",
        "stage": "statecode",
        "occurred_at": "actualclosedate",
        "amount": "actualvalue",
    },
    "contacts": {"contact_id": "contactid", "account_id": "parentcustomerid", "title": "jobtitle"},
    "accounts": {
        "account_id": "accountid",
        "name": "name",
        "industry": "industrycode",
        "employees": "numberofemployees",
        "revenue": "revenue",
        "country": "address1_country",
    },
}

_MARKETO: Headers = {
    "leads": {
        "lead_id": "id",
        "created_at": "createdAt",
        "source": "leadSource",
        "country": "country",
        "email": "email",
        "phone": "phone",
        "title": "title",
        "company": "company",
        "website": "website",
    },
    "touches": {
        "lead_id": "leadId",
        "occurred_at": "activityDate",
        "kind": "activityTypeId",
        "place": "primaryAttributeValue",
        "campaign": "campaignId",
    },
}

PRESETS: Mapping[str, Headers] = {
    "salesforce": _SALESFORCE,
    "hubspot": _HUBSPOT,
    "dynamics": _DYNAMICS,
    "marketo": _MARKETO,
}
