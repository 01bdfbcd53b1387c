#include "base/check.h"
#include "proto/descriptor.h"

/* The files that every protobuf compiler brings along, as declarations: numbers, types and names
 * are fixed by the protobuf documentation. descriptor.proto is there for what extends options. */

#define HEAD "syntax = \"proto3\"; package google.protobuf;"

static const char any_text[] = HEAD "message Any { string type_url = 1; bytes value = 2; }";

static const char duration_text[] = HEAD "message Duration { int64 seconds = 1; int32 nanos = 2; }";

static const char timestamp_text[] =
    HEAD "message Timestamp { int64 seconds = 1; int32 nanos = 2; }";

static const char empty_text[] = HEAD "message Empty {}";

static const char field_mask_text[] = HEAD "message FieldMask { repeated string paths = 1; }";

static const char source_context_text[] = HEAD "message SourceContext { string file_name = 1; }";

static const char struct_text[] =
    HEAD "message Struct { map<string, Value> fields = 1; }"
         "message Value { oneof kind { NullValue null_value = 1; double number_value = 2;"
         " string string_value = 3; bool bool_value = 4; Struct struct_value = 5;"
         " ListValue list_value = 6; } }"
         "enum NullValue { NULL_VALUE = 0; }"
         "message ListValue { repeated Value values = 1; }";

static const char wrappers_text[] = HEAD "message DoubleValue { double value = 1; }"
                                         "message FloatValue { float value = 1; }"
                                         "message Int64Value { int64 value = 1; }"
                                         "message UInt64Value { uint64 value = 1; }"
                                         "message Int32Value { int32 value = 1; }"
                                         "message UInt32Value { uint32 value = 1; }"
                                         "message BoolValue { bool value = 1; }"
                                         "message StringValue { string value = 1; }"
                                         "message BytesValue { bytes value = 1; }";

static const char type_text[] = HEAD
    "import \"google/protobuf/any.proto\"; import \"google/protobuf/source_context.proto\";"
    "message Type { string name = 1; repeated Field fields = 2; repeated string oneofs = 3;"
    " repeated Option options = 4; SourceContext source_context = 5; Syntax syntax = 6;"
    " string edition = 7; }"
    "message Field {"
    " enum Kind { TYPE_UNKNOWN = 0; TYPE_DOUBLE = 1; TYPE_FLOAT = 2; TYPE_INT64 = 3;"
    " TYPE_UINT64 = 4; TYPE_INT32 = 5; TYPE_FIXED64 = 6; TYPE_FIXED32 = 7; TYPE_BOOL = 8;"
    " TYPE_STRING = 9; TYPE_GROUP = 10; TYPE_MESSAGE = 11; TYPE_BYTES = 12; TYPE_UINT32 = 13;"
    " TYPE_ENUM = 14; TYPE_SFIXED32 = 15; TYPE_SFIXED64 = 16; TYPE_SINT32 = 17;"
    " TYPE_SINT64 = 18; }"
    " enum Cardinality { CARDINALITY_UNKNOWN = 0; CARDINALITY_OPTIONAL = 1;"
    " CARDINALITY_REQUIRED = 2; CARDINALITY_REPEATED = 3; }"
    " Kind kind = 1; Cardinality cardinality = 2; int32 number = 3; string name = 4;"
    " string type_url = 6; int32 oneof_index = 7; bool packed = 8; repeated Option options = 9;"
    " string json_name = 10; string default_value = 11; }"
    "message Enum { string name = 1; repeated EnumValue enumvalue = 2; repeated Option options = 3;"
    " SourceContext source_context = 4; Syntax syntax = 5; string edition = 6; }"
    "message EnumValue { string name = 1; int32 number = 2; repeated Option options = 3; }"
    "message Option { string name = 1; Any value = 2; }"
    "enum Syntax { SYNTAX_PROTO2 = 0; SYNTAX_PROTO3 = 1; SYNTAX_EDITIONS = 2; }";

static const char api_text[] = HEAD
    "import \"google/protobuf/source_context.proto\"; import \"google/protobuf/type.proto\";"
    "message Api { string name = 1; repeated Method methods = 2; repeated Option options = 3;"
    " string version = 4; SourceContext source_context = 5; repeated Mixin mixins = 6;"
    " Syntax syntax = 7; }"
    "message Method { string name = 1; string request_type_url = 2; bool request_streaming = 3;"
    " string response_type_url = 4; bool response_streaming = 5; repeated Option options = 6;"
    " Syntax syntax = 7; }"
    "message Mixin { string name = 1; string root = 2; }";

#define OPTIONS                                                 \
    " repeated UninterpretedOption uninterpreted_option = 999;" \
    " extensions 1000 to max; }"

static const char descriptor_text[] =
    "syntax = \"proto2\"; package google.protobuf;"
    "message FileDescriptorSet { repeated FileDescriptorProto file = 1; }"
    "enum Edition { EDITION_UNKNOWN = 0; EDITION_LEGACY = 900; EDITION_PROTO2 = 998;"
    " EDITION_PROTO3 = 999; EDITION_2023 = 1000; EDITION_2024 = 1001;"
    " EDITION_MAX = 0x7FFFFFFF; }"
    "message FileDescriptorProto { optional string name = 1; optional string package = 2;"
    " repeated string dependency = 3; repeated int32 public_dependency = 10;"
    " repeated int32 weak_dependency = 11; repeated DescriptorProto message_type = 4;"
    " repeated EnumDescriptorProto enum_type = 5; repeated ServiceDescriptorProto service = 6;"
    " repeated FieldDescriptorProto extension = 7; optional FileOptions options = 8;"
    " optional SourceCodeInfo source_code_info = 9; optional string syntax = 12;"
    " optional Edition edition = 14; }"
    "message DescriptorProto { optional string name = 1; repeated FieldDescriptorProto field = 2;"
    " repeated FieldDescriptorProto extension = 6; repeated DescriptorProto nested_type = 3;"
    " repeated EnumDescriptorProto enum_type = 4;"
    " message ExtensionRange { optional int32 start = 1; optional int32 end = 2;"
    " optional ExtensionRangeOptions options = 3; }"
    " repeated ExtensionRange extension_range = 5; repeated OneofDescriptorProto oneof_decl = 8;"
    " optional MessageOptions options = 7;"
    " message ReservedRange { optional int32 start = 1; optional int32 end = 2; }"
    " repeated ReservedRange reserved_range = 9; repeated string reserved_name = 10; }"
    "message ExtensionRangeOptions { optional FeatureSet features = 50;" OPTIONS
    "message FieldDescriptorProto {"
    " enum Type { TYPE_DOUBLE = 1; TYPE_FLOAT = 2; TYPE_INT64 = 3; TYPE_UINT64 = 4;"
    " TYPE_INT32 = 5; TYPE_FIXED64 = 6; TYPE_FIXED32 = 7; TYPE_BOOL = 8; TYPE_STRING = 9;"
    " TYPE_GROUP = 10; TYPE_MESSAGE = 11; TYPE_BYTES = 12; TYPE_UINT32 = 13; TYPE_ENUM = 14;"
    " TYPE_SFIXED32 = 15; TYPE_SFIXED64 = 16; TYPE_SINT32 = 17; TYPE_SINT64 = 18; }"
    " enum Label { LABEL_OPTIONAL = 1; LABEL_REPEATED = 3; LABEL_REQUIRED = 2; }"
    " optional string name = 1; optional int32 number = 3; optional Label label = 4;"
    " optional Type type = 5; optional string type_name = 6; optional string extendee = 2;"
    " optional string default_value = 7; optional int32 oneof_index = 9;"
    " optional string json_name = 10; optional FieldOptions options = 8;"
    " optional bool proto3_optional = 17; }"
    "message OneofDescriptorProto { optional string name = 1; optional OneofOptions options = 2; }"
    "message EnumDescriptorProto { optional string name = 1;"
    " repeated EnumValueDescriptorProto value = 2; optional EnumOptions options = 3;"
    " message EnumReservedRange { optional int32 start = 1; optional int32 end = 2; }"
    " repeated EnumReservedRange reserved_range = 4; repeated string reserved_name = 5; }"
    "message EnumValueDescriptorProto { optional string name = 1; optional int32 number = 2;"
    " optional EnumValueOptions options = 3; }"
    "message ServiceDescriptorProto { optional string name = 1;"
    " repeated MethodDescriptorProto method = 2; optional ServiceOptions options = 3; }"
    "message MethodDescriptorProto { optional string name = 1; optional string input_type = 2;"
    " optional string output_type = 3; optional MethodOptions options = 4;"
    " optional bool client_streaming = 5; optional bool server_streaming = 6; }"
    "message FileOptions { optional string java_package = 1;"
    " optional string java_outer_classname = 8; optional bool java_multiple_files = 10;"
    " optional bool java_generate_equals_and_hash = 20; optional bool java_string_check_utf8 = 27;"
    " enum OptimizeMode { SPEED = 1; CODE_SIZE = 2; LITE_RUNTIME = 3; }"
    " optional OptimizeMode optimize_for = 9; optional string go_package = 11;"
    " optional bool cc_generic_services = 16; optional bool java_generic_services = 17;"
    " optional bool py_generic_services = 18; optional bool deprecated = 23;"
    " optional bool cc_enable_arenas = 31; optional string objc_class_prefix = 36;"
    " optional string csharp_namespace = 37; optional string swift_prefix = 39;"
    " optional string php_class_prefix = 40; optional string php_namespace = 41;"
    " optional string php_metadata_namespace = 44; optional string ruby_package = 45;"
    " optional FeatureSet features = 50;" OPTIONS
    "message MessageOptions { optional bool message_set_wire_format = 1;"
    " optional bool no_standard_descriptor_accessor = 2; optional bool deprecated = 3;"
    " optional bool map_entry = 7; optional bool deprecated_legacy_json_field_conflicts = 11;"
    " optional FeatureSet features = 12;" OPTIONS
    "message FieldOptions { enum CType { STRING = 0; CORD = 1; STRING_PIECE = 2; }"
    " optional CType ctype = 1; optional bool packed = 2;"
    " enum JSType { JS_NORMAL = 0; JS_STRING = 1; JS_NUMBER = 2; } optional JSType jstype = 6;"
    " optional bool lazy = 5; optional bool unverified_lazy = 15; optional bool deprecated = 3;"
    " optional bool weak = 10; optional bool debug_redact = 16;"
    " optional FeatureSet features = 21;" OPTIONS
    "message OneofOptions { optional FeatureSet features = 1;" OPTIONS
    "message EnumOptions { optional bool allow_alias = 2; optional bool deprecated = 3;"
    " optional bool deprecated_legacy_json_field_conflicts = 6;"
    " optional FeatureSet features = 7;" OPTIONS
    "message EnumValueOptions { optional bool deprecated = 1; optional FeatureSet features = 2;"
    " optional bool debug_redact = 3;" OPTIONS
    "message ServiceOptions { optional FeatureSet features = 34; optional bool deprecated = 33;" OPTIONS
    "message MethodOptions { optional bool deprecated = 33;"
    " enum IdempotencyLevel { IDEMPOTENCY_UNKNOWN = 0; NO_SIDE_EFFECTS = 1; IDEMPOTENT = 2; }"
    " optional IdempotencyLevel idempotency_level = 34; optional FeatureSet features = 35;" OPTIONS
    "message UninterpretedOption {"
    " message NamePart { required string name_part = 1; required bool is_extension = 2; }"
    " repeated NamePart name = 2; optional string identifier_value = 3;"
    " optional uint64 positive_int_value = 4; optional int64 negative_int_value = 5;"
    " optional double double_value = 6; optional bytes string_value = 7;"
    " optional string aggregate_value = 8; }"
    "message FeatureSet {"
    " enum FieldPresence { FIELD_PRESENCE_UNKNOWN = 0; EXPLICIT = 1; IMPLICIT = 2;"
    " LEGACY_REQUIRED = 3; }"
    " enum EnumType { ENUM_TYPE_UNKNOWN = 0; OPEN = 1; CLOSED = 2; }"
    " enum RepeatedFieldEncoding { REPEATED_FIELD_ENCODING_UNKNOWN = 0; PACKED = 1;"
    " EXPANDED = 2; }"
    " enum Utf8Validation { UTF8_VALIDATION_UNKNOWN = 0; VERIFY = 2; NONE = 3; }"
    " enum MessageEncoding { MESSAGE_ENCODING_UNKNOWN = 0; LENGTH_PREFIXED = 1; DELIMITED = 2; }"
    " enum JsonFormat { JSON_FORMAT_UNKNOWN = 0; ALLOW = 1; LEGACY_BEST_EFFORT = 2; }"
    " optional FieldPresence field_presence = 1; optional EnumType enum_type = 2;"
    " optional RepeatedFieldEncoding repeated_field_encoding = 3;"
    " optional Utf8Validation utf8_validation = 4; optional MessageEncoding message_encoding = 5;"
    " optional JsonFormat json_format = 6; extensions 1000 to 9999; }"
    "message SourceCodeInfo { message Location { repeated int32 path = 1 [packed = true];"
    " repeated int32 span = 2 [packed = true]; optional string leading_comments = 3;"
    " optional string trailing_comments = 4; repeated string leading_detached_comments = 6; }"
    " repeated Location location = 1; extensions 536000000; }"
    "message GeneratedCodeInfo { message Annotation { repeated int32 path = 1 [packed = true];"
    " optional string source_file = 2; optional int32 begin = 3; optional int32 end = 4; }"
    " repeated Annotation annotation = 1; }";

static const char status_text[] =
    "syntax = \"proto3\"; package google.rpc; import \"google/protobuf/any.proto\";"
    "message Status { int32 code = 1; string message = 2;"
    " repeated google.protobuf.Any details = 3; }";

static const char error_details_text[] =
    "syntax = \"proto3\"; package google.rpc; import \"google/protobuf/duration.proto\";"
    "message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }"
    "message RetryInfo { google.protobuf.Duration retry_delay = 1; }"
    "message DebugInfo { repeated string stack_entries = 1; string detail = 2; }"
    "message QuotaFailure { message Violation { string subject = 1; string description = 2;"
    " string api_service = 3; string quota_metric = 4; string quota_id = 5;"
    " map<string, string> quota_dimensions = 6; int64 quota_value = 7;"
    " optional int64 future_quota_value = 8; } repeated Violation violations = 1; }"
    "message PreconditionFailure { message Violation { string type = 1; string subject = 2;"
    " string description = 3; } repeated Violation violations = 1; }"
    "message BadRequest { message FieldViolation { string field = 1; string description = 2;"
    " string reason = 3; LocalizedMessage localized_message = 4; }"
    " repeated FieldViolation field_violations = 1; }"
    "message RequestInfo { string request_id = 1; string serving_data = 2; }"
    "message ResourceInfo { string resource_type = 1; string resource_name = 2; string owner = 3;"
    " string description = 4; }"
    "message Help { message Link { string description = 1; string url = 2; }"
    " repeated Link links = 1; }"
    "message LocalizedMessage { string locale = 1; string message = 2; }";

static const struct {
    const char *name, *text;
} files[] = {
    {"google/protobuf/any.proto", any_text},
    {"google/protobuf/api.proto", api_text},
    {"google/protobuf/descriptor.proto", descriptor_text},
    {"google/protobuf/duration.proto", duration_text},
    {"google/protobuf/empty.proto", empty_text},
    {"google/protobuf/field_mask.proto", field_mask_text},
    {"google/protobuf/source_context.proto", source_context_text},
    {"google/protobuf/struct.proto", struct_text},
    {"google/protobuf/timestamp.proto", timestamp_text},
    {"google/protobuf/type.proto", type_text},
    {"google/protobuf/wrappers.proto", wrappers_text},
    {"google/rpc/error_details.proto", error_details_text},
    {"google/rpc/status.proto", status_text},
};

struct slice builtin_text(struct slice name) {
    for (size_t i = 0; i < countof(files); i++)
        if (slice_eq(name, slice_cstr(files[i].name)))
            return slice_cstr(files[i].text);
    return (struct slice){0};
}

bool builtin_has(struct slice name) {
    return slice_starts(name, SLICE("google/protobuf/")) && builtin_text(name).ptr != NULL;
}
