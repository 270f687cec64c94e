"""The functions of PostgreSQL itself that a statement may use without a call of its own.

A list of names that are let through, never of names that are not: they compute from what they are given, and read no
relation, no file, no setting and no other session. What is not here, and not registered, is refused. A few are volatile
and harmless all the same: clocks and random numbers.
"""

from typing import Final

_SAFE: Final = """
abs acos acosd acosh age any_value area array_agg array_append array_cat array_dims array_fill array_length
array_lower array_ndims array_position array_positions array_prepend array_remove array_replace array_reverse
array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asin asind asinh atan atan2 atan2d
atand atanh avg bit_and bit_count bit_length bit_or bit_xor bool_and bool_or box broadcast btrim cardinality
casefold cbrt ceil ceiling center char_length character_length chr circle clock_timestamp col_description concat
concat_ws convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c
cume_dist current_catalog current_database current_schema current_schemas date date_add date_bin date_part
date_subtract date_trunc decode degrees dense_rank diagonal diameter div encode enum_first enum_last enum_range erf
erfc every exp extract factorial family first_value float4 float8 floor format format_type gamma gcd gen_random_uuid
generate_series generate_subscripts get_bit get_byte getdatabaseencoding has_any_column_privilege
has_column_privilege has_database_privilege has_schema_privilege has_table_privilege height host hostmask inet_merge
inet_same_family initcap int2 int4 int4multirange int4range int8 int8multirange int8range is_normalized isclosed
isempty isfinite isopen json_agg json_agg_strict json_array_elements json_array_elements_text json_array_length
json_build_array json_build_object json_each json_each_text json_extract_path json_extract_path_text json_object
json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict json_object_keys
json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector
json_typeof jsonb_agg jsonb_agg_strict jsonb_array_elements jsonb_array_elements_text jsonb_array_length
jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text
jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique
jsonb_object_agg_unique_strict jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match
jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set
jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof justify_days
justify_hours justify_interval lag last_value lcm lead left length lgamma line ln log log10 lower lower_inc
lower_inf lpad lseg ltrim make_date make_interval make_time make_timestamp make_timestamptz masklen max md5 min
min_scale mod mode multirange netmask network normalize now npoints nth_value ntile num_nonnulls num_nulls numeric
nummultirange numnode numrange obj_description octet_length overlaps overlay parse_ident path pclose percent_rank
percentile_cont percentile_disc pg_advisory_unlock_all pg_backend_pid pg_client_encoding pg_column_size
pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_indexdef pg_get_partkeydef
pg_get_userbyid pg_get_viewdef pg_is_in_recovery pg_relation_is_publishable pg_table_is_visible pg_type_is_visible
pg_typeof phraseto_tsquery pi plainto_tsquery point polygon popen position pow power quote_ident quote_literal
quote_nullable radians radius random random_normal range_agg range_intersect_agg range_merge rank regexp_count
regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat
replace reverse right round row_number row_to_json rpad rtrim scale set_bit set_byte set_masklen setweight sha224
sha256 sha384 sha512 sign similar_to_escape sin sind sinh slope split_part sqrt starts_with
statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr
substring sum tan tand tanh text timeofday timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb
to_number to_oct to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure
to_regrole to_regtype to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale
trunc ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange tstzmultirange
tstzrange tsvector_to_array unicode_assigned unistr unnest upper upper_inc upper_inf uuid_extract_timestamp
uuid_extract_version uuidv4 uuidv7 var_pop var_samp variance version websearch_to_tsquery width width_bucket
"""
SAFE: Final = frozenset(_SAFE.split())
_TELLING: Final = """
col_description has_any_column_privilege has_column_privilege has_database_privilege has_schema_privilege
has_table_privilege obj_description pg_get_constraintdef pg_get_expr pg_get_indexdef pg_get_partkeydef pg_get_userbyid
pg_get_viewdef
"""
TELLING: Final = frozenset(_TELLING.split())
"""Those that read the system's own relations all the same: let through where these are registered."""

OUTPUTS: Final = {
    "json_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "jsonb_each": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
    "json_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_array_elements": ("value",),
    "jsonb_array_elements_text": ("value",),
}
"""What the columns of a function in FROM are called, where it is not the function's own name."""
ROWS: Final = frozenset(
    {
        "json_populate_record", "json_populate_recordset", "jsonb_populate_record", "jsonb_populate_recordset",
        "lower", "unnest", "upper",
    }
)  # fmt: skip
"""Functions that in FROM may give a row: as many columns, and under such names, as what they are given has."""

_SETTINGS: Final = """
bytea_output client_min_messages datestyle default_transaction_deferrable default_transaction_isolation
default_transaction_read_only enable_indexscan enable_seqscan extra_float_digits geqo
idle_in_transaction_session_timeout intervalstyle jit lock_timeout plan_cache_mode statement_timeout timezone
transaction_deferrable transaction_isolation transaction_read_only
"""
SETTINGS: Final = frozenset(_SETTINGS.split())
"""Settings that may be set: none of them changes what a name means or whose authority counts."""
NARROWED: Final = frozenset({"statement_timeout", "idle_in_transaction_session_timeout"})
"""Settings that may only be set to a number of milliseconds, up to what the gate set them to."""
_SHOWN: Final = """
application_name client_encoding in_hot_standby integer_datetimes is_superuser lc_collate lc_ctype lc_messages
max_identifier_length search_path server_encoding server_version server_version_num session_authorization
standard_conforming_strings
"""
SHOWN: Final = SETTINGS | frozenset(_SHOWN.split())
"""Settings that may be shown."""
