"""Names of countries as people write them, in English and a few at home, with the region of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from features.ingest.folding import folded

_NAMES = """
AC ascension island; TA tristan da cunha; AD andorra; AE uae|united arab emirates; AF afghanistan; AG
antigua and barbuda; AI anguilla; AL albania; AM armenia; AO angola; AR argentina; AS american samoa; AT
austria|osterreich; AU australia; AW aruba; AX aland islands; AZ azerbaijan; BA bosnia|bosnia and
herzegovina; BB barbados; BD bangladesh; BE belgium; BF burkina faso; BG bulgaria; BH bahrain; BI burundi;
BJ benin; BL saint barthelemy; BM bermuda; BN brunei|brunei darussalam; BO bolivia|bolivia, plurinational
state of; BQ bonaire, sint eustatius and saba; BR brasil|brazil; BS bahamas; BT bhutan; BW botswana; BY
belarus; BZ belize; CA canada; CC cocos islands; CD the democratic republic of congo; CF central african
republic; CG congo; CH schweiz|switzerland; CI cote d'ivoire|ivory coast; CK cook islands; CL chile; CM
cameroon; CN china|mainland china|people's republic of china|prc|中国; CO colombia; CR costa rica; CU cuba;
CV cape verde; CW curacao; CX christmas island; CY cyprus; CZ czech republic|czechia; DE
deutschland|germany; DJ djibouti; DK denmark; DM dominica; DO dominican republic; DZ algeria; EC ecuador;
EE estonia; EG egypt; EH western sahara; ER eritrea; ES espana|spain; ET ethiopia; FI finland; FJ fiji; FK
falkland islands; FM micronesia; FO faroe islands; FR france; GA gabon; GB england|great britain|northern
ireland|scotland|u.k.|uk|united kingdom|wales; GD grenada; GE georgia; GF french guiana; GG guernsey; GH
ghana; GI gibraltar; GL greenland; GM gambia; GN guinea; GP guadeloupe; GQ equatorial guinea; GR greece;
GT guatemala; GU guam; GW guinea-bissau; GY guyana; HK hong kong; HN honduras; HR croatia; HT haiti; HU
hungary; ID indonesia; IE ireland|republic of ireland; IL israel; IM isle of man; IN india; IO british
indian ocean territory; IQ iraq; IR iran|iran, islamic republic of; IS iceland; IT italy; JE jersey; JM
jamaica; JO jordan; JP japan; KE kenya; KG kyrgyzstan; KH cambodia; KI kiribati; KM comoros; KN saint
kitts and nevis; KP north korea; KR korea|korea, republic of|republic of korea|south korea; KW kuwait; KY
cayman islands; KZ kazakhstan; LA lao pdr|laos; LB lebanon; LC saint lucia; LI liechtenstein; LK sri
lanka; LR liberia; LS lesotho; LT lithuania; LU luxembourg; LV latvia; LY libya; MA morocco; MC monaco; MD
moldova|moldova, republic of|republic of moldova; ME montenegro; MF saint martin; MG madagascar; MH
marshall islands; MK macedonia|north macedonia; ML mali; MM burma|myanmar; MN mongolia; MO macao|macau; MP
northern mariana islands; MQ martinique; MR mauritania; MS montserrat; MT malta; MU mauritius; MV
maldives; MW malawi; MX mexico; MY malaysia; MZ mozambique; NA namibia; NC new caledonia; NE niger; NF
norfolk island; NG nigeria; NI nicaragua; NL holland|netherlands|the netherlands; NO norway; NP nepal; NR
nauru; NU niue; NZ new zealand; OM oman; PA panama; PE peru; PF french polynesia; PG papua new guinea; PH
philippines; PK pakistan; PL poland; PM saint pierre and miquelon; PR puerto rico; PS palestine; PT
portugal; PW palau; PY paraguay; QA qatar; RE reunion; RO romania; RS serbia; RU russia|russian
federation|россия; RW rwanda; SA saudi arabia; SB solomon islands; SC seychelles; SD sudan; SE sweden; SG
singapore; SH saint helena; SI slovenia; SJ svalbard and jan mayen; SK slovak republic|slovakia; SL sierra
leone; SM san marino; SN senegal; SO somalia; SR suriname; SS south sudan; ST sao tome and principe; SV el
salvador; SX sint maarten (dutch part); SY syria|syrian arab republic; SZ eswatini|swaziland; TC turks and
caicos islands; TD chad; TG togo; TH thailand; TJ tajikistan; TK tokelau; TL east timor|timor-leste; TM
turkmenistan; TN tunisia; TO tonga; TR turkey|turkiye; TT trinidad and tobago; TV tuvalu; TW
taiwan|taiwan, province of china; TZ tanzania|tanzania, united republic of; UA ukraine; UG uganda; US
america|u.s.|u.s.a.|united states|united states of america|usa; UY uruguay; UZ uzbekistan; VA vatican; VC
saint vincent and the grenadines; VE venezuela|venezuela, bolivarian republic of; VG british virgin
islands; VI u.s. virgin islands; VN viet nam|vietnam; VU vanuatu; WF wallis and futuna; WS samoa; XK
kosovo; YE yemen; YT mayotte; ZA south africa; ZM zambia; ZW zimbabwe
"""


@cache
def regions() -> Mapping[str, str]:
    """ISO 3166 code by folded code or name.

    >>> regions()["united kingdom"], regions()["uk"], regions()["de"]
    ('GB', 'GB', 'DE')
    """
    entries = [entry.split(maxsplit=1) for entry in " ".join(_NAMES.split()).split("; ")]
    codes = {code.lower(): code for code, _ in entries}
    return codes | {folded(name): code for code, names in entries for name in names.split("|")}
