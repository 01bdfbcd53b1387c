# QuickJS, from its sources, as a static library with our flags.

if(NOT EXISTS ${KILN_QUICKJS_DIR}/quickjs.c)
    message(FATAL_ERROR "no QuickJS sources in ${KILN_QUICKJS_DIR}: run tools/setup.sh build, which fetches them")
endif()

file(STRINGS ${KILN_QUICKJS_DIR}/VERSION KILN_QUICKJS_VERSION LIMIT_COUNT 1)

add_library(quickjs STATIC
    ${KILN_QUICKJS_DIR}/quickjs.c
    ${KILN_QUICKJS_DIR}/libregexp.c
    ${KILN_QUICKJS_DIR}/libunicode.c
    ${KILN_QUICKJS_DIR}/cutils.c
    ${KILN_QUICKJS_DIR}/dtoa.c)
# SYSTEM keeps our warnings off its headers.
target_include_directories(quickjs SYSTEM PUBLIC ${KILN_QUICKJS_DIR})
# Parts of our own that quickjs.c includes.
target_include_directories(quickjs PRIVATE ${CMAKE_SOURCE_DIR}/third_party/quickjs)
target_compile_definitions(quickjs PRIVATE _GNU_SOURCE CONFIG_VERSION="${KILN_QUICKJS_VERSION}")
target_compile_options(quickjs PRIVATE -w -fwrapv)
if(KILN_SANITIZE STREQUAL off)
    target_compile_options(quickjs PRIVATE ${KILN_QUICKJS_OPT})
endif()
target_link_libraries(quickjs PUBLIC m Threads::Threads)
