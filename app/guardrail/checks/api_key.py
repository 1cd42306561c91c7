"""Keys and tokens that announce themselves by a prefix."""

import re

from app.guardrail.check import TOKEN_START, WORD, Finding, Tail

# Service, how its keys begin, how they go on. Formats as the services document them.
_FORMATS = (
    ("Clearance", r"clr_", r"[A-Za-z0-9]{8}_[\w\-]{43}"),
    ("AWS", r"(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA|APKA)", r"[A-Z0-9]{16}"),
    ("AWS Bedrock", r"ABSK", r"[A-Za-z0-9+/]{60,}={0,2}"),
    ("Google", r"AIza", r"[\w\-]{35}"),
    ("Google OAuth", r"(?:ya29\.|GOCSPX-)", r"[\w\-.]{20,}"),
    ("Azure", r"[A-Za-z0-9_~.]{3}[0-9]Q~", r"[\w~.\-]{31,34}"),
    ("GitHub", r"(?:gh[pousr]_|github_pat_)", r"\w{22,}"),
    ("GitLab", r"(?:gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|cbt)-|GR1348941)", r"[\w\-.=]{20,}"),
    ("Slack", r"(?:xox[a-z]-|xapp-\d-|xoxe\.)", r"(?=[\w\-.]*\d)[\w\-.]{10,}"),
    ("Stripe", r"(?:[rsp]k_(?:live|test|prod)_|whsec_)", r"[A-Za-z0-9]{10,}"),
    ("OpenAI, Anthropic and others", r"sk-", r"(?=[\w\-]*\d)[\w\-]{20,}"),
    ("Hugging Face", r"(?:hf_|api_org_)", r"[A-Za-z0-9]{30,}"),
    ("npm", r"npm_", r"[A-Za-z0-9]{36,}"),
    ("PyPI", r"pypi-Ag", r"[\w\-]{50,}"),
    ("RubyGems", r"rubygems_", r"[a-f0-9]{48}"),
    ("crates.io", r"cio", r"[A-Za-z0-9]{32}"),
    ("NuGet", r"oy2", r"[a-z0-9]{43}"),
    ("Twilio", r"(?:SK|AC)", r"[0-9a-fA-F]{32}"),
    ("SendGrid", r"SG\.", r"[\w\-]{16,}\.[\w\-]{16,}"),
    ("Mailgun", r"(?:key-|pubkey-)", r"[0-9a-f]{32}"),
    ("Mailchimp", r"[0-9a-f]{32}-us", r"\d{1,2}"),
    ("Sendinblue", r"xkeysib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    ("DigitalOcean", r"do[opr]_v1_", r"[a-f0-9]{64}"),
    ("Databricks", r"dapi", r"[a-h0-9]{32}(?:-\d)?"),
    ("HashiCorp Vault", r"hv[sbr]\.", r"[\w\-]{24,}"),
    ("HashiCorp Terraform", r"[A-Za-z0-9]{14}\.atlasv1\.", r"[\w\-]{60,}"),
    ("Doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[\w.\-]{40,}"),
    ("Grafana", r"(?:glc_|glsa_)", r"[\w+/=]{32,}"),
    ("Linear", r"lin_(?:api|oauth)_", r"[A-Za-z0-9]{40,}"),
    ("Notion", r"(?:ntn_|secret_)", r"[A-Za-z0-9]{40,}"),
    ("PlanetScale", r"pscale_(?:tkn|pw|oauth)_", r"[\w.\-=]{32,}"),
    ("Postman", r"PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    ("Pulumi", r"pul-", r"[a-f0-9]{40}"),
    ("Shopify", r"shp(?:at|ca|pa|ss)_", r"[a-fA-F0-9]{32}"),
    ("Square", r"(?:sq0(?:atp|csp|idp)-|EAAA)", r"[\w\-]{22,}"),
    ("Telegram", r"\d{6,12}:A", r"[\w\-]{34}"),
    ("Discord", r"[MNO][A-Za-z0-9_\-]{23,27}\.", r"[\w\-]{6}\.[\w\-]{27,}"),
    ("age", r"AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    ("1Password", r"ops_eyJ", r"[A-Za-z0-9+/_\-]{60,}={0,3}"),
    ("1Password", r"A3-[A-Z0-9]{6}-", r"(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("Adafruit", r"aio_", r"[A-Za-z0-9]{28}"),
    ("Airtable", r"pat[A-Za-z0-9]{14}\.", r"[a-f0-9]{64}"),
    ("Alibaba", r"LTAI", r"[A-Za-z0-9]{12,24}"),
    ("Atlassian", r"AT(?:ATT3|CTT3|BB)", r"[\w\-=]{28,}"),
    ("Artifactory", r"(?:AKC|AP[0-9A-F])", r"(?=[a-zA-Z]*[0-9x])[A-Za-z0-9]{10,}"),
    ("JFrog", r"cmVmdGtu", r"[A-Za-z0-9]{50,}"),
    ("Clojars", r"CLOJARS_", r"[A-Za-z0-9]{60}"),
    ("Cloudflare", r"v1\.0-", r"[a-f0-9]{24}-[a-f0-9]{64,}"),
    ("Contentful", r"CFPAT-", r"[\w\-]{40,}"),
    ("Docker", r"dckr_(?:pat|oat)_", r"[\w\-]{20,}"),
    ("Dynatrace", r"dt0[a-z]\d\d\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("EasyPost", r"EZ[AT]K", r"[A-Za-z0-9]{54}"),
    ("Figma", r"figd_", r"[\w\-]{38,}"),
    ("Fly.io", r"(?:fo1_|fm[12][ar]?_)", r"[\w+/=\-]{40,}"),
    ("Flutterwave", r"FLW(?:PUBK|SECK)_TEST-", r"[a-h0-9]{12,32}-?X?"),
    ("Frame.io", r"fio-u-", r"[\w\-=]{60,}"),
    ("Groq", r"gsk_", r"[A-Za-z0-9]{40,}"),
    ("Heroku", r"HRKU-", r"[\w\-]{36,}"),
    ("Infracost", r"ico-", r"[A-Za-z0-9]{32}"),
    ("LangSmith", r"lsv2_(?:pt|sk)_", r"[a-f0-9]{32}_[a-f0-9]{10}"),
    ("Lob", r"(?:live|test)_(?:pub_)?", r"(?=[a-z]*\d)[a-f0-9]{31,35}"),
    ("Mapbox", r"[ps]k\.eyJ", r"[\w\-]{40,}\.[\w\-]{20,}"),
    ("MaxMind", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_", r"mmk"),
    ("Netlify", r"nfp_", r"[A-Za-z0-9]{36}"),
    ("New Relic", r"NR(?:AK|JS|II|RA)-", r"[A-Za-z0-9\-]{19,}"),
    ("NVIDIA", r"nvapi-", r"[\w\-]{60,}"),
    ("OpenShift", r"sha256~", r"[\w\-]{43}"),
    ("Perplexity", r"pplx-", r"[A-Za-z0-9]{48}"),
    ("Prefect", r"pn[ub]_", r"[A-Za-z0-9]{36}"),
    ("ReadMe", r"rdme_", r"[a-z0-9]{70}"),
    ("Replicate", r"r8_", r"[A-Za-z0-9]{37,40}"),
    ("Scalingo", r"tk-us-", r"[\w\-]{48}"),
    ("Sentry", r"sntry[su]_", r"[\w+/=\-]{40,}"),
    ("Shippo", r"shippo_(?:live|test)_", r"[a-fA-F0-9]{40}"),
    ("Sonar", r"sq[upa]_", r"[a-f0-9]{40}"),
    ("Sourcegraph", r"(?:sgp_|slk_)", r"[\w]{32,}"),
    ("Supabase", r"sb(?:p|_secret|_publishable)_", r"[\w\-]{30,}"),
    ("Tailscale", r"tskey-", r"[\w\-]{20,}"),
    ("Typeform", r"tfp_", r"[\w.=\-]{59,}"),
    ("xAI", r"xai-", r"[A-Za-z0-9]{60,}"),
    ("Yandex", r"(?:AQVN|YCAJ|t1\.[A-Z0-9a-z_\-]{3,}\.)", r"[\w\-=]{35,}"),
    ("Vercel", r"vc[a-z]_", r"[A-Za-z0-9]{24,}"),
    ("Meta", r"EAA", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{60,}"),
    ("PayPal", r"access_token\$(?:production|sandbox)\$", r"[a-z0-9]{16}\$[a-f0-9]{32}"),
    ("Akamai", r"aka[bc]-", r"[a-z0-9]{16}-[a-z0-9]{16}"),
    ("Duffel", r"duffel_(?:test|live)_", r"[\w\-=]{43}"),
    ("Intra42", r"s-s4t2(?:ud|af)-", r"[a-f0-9]{64}"),
    ("Harness", r"(?:pat|sat)\.", r"[\w\-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}"),
    ("Plaid", r"access-(?:sandbox|development|production)-", r"[0-9a-f\-]{36}"),
)  # fmt: skip
_KEY = re.compile(
    "(?<![A-Za-z0-9])(?:" + "|".join(f"({begin}{rest})" for _, begin, rest in _FORMATS) + ")(?![A-Za-z0-9])"
)


class ApiKeyCheck:
    """A known prefix and what must follow it."""

    kind = "credential"
    run = WORD
    opener = TOKEN_START
    needs = ""
    cue = None
    tail = Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False)

    def at(self, window: str, start: int) -> Finding | None:
        match = _KEY.match(window, start)
        if match is None:
            return None
        return Finding(
            start,
            match.end(),
            self.kind,
            f"{_FORMATS[(match.lastindex or 1) - 1][0]} key",
            open=match.end() - start >= self.run.extent,
        )


CHECK = ApiKeyCheck()
