# kiln_flags: what every source file of our own is compiled with.
# kiln_program_flags, kiln_test_flags: what is added when a program, or a unit test, is linked.

add_library(kiln_flags INTERFACE)
target_include_directories(kiln_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(kiln_flags INTERFACE _GNU_SOURCE KILN_VERSION="${KILN_VERSION}")
target_compile_options(kiln_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wshadow;-Wstrict-prototypes;-Wmissing-prototypes;-Wvla;-Wformat=2;-Wundef;-Wimplicit-fallthrough;-Werror=implicit-function-declaration>
    $<$<COMPILE_LANGUAGE:C>:-fno-common;-fvisibility=hidden>)
if(KILN_WERROR)
    target_compile_options(kiln_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()

add_library(kiln_program_flags INTERFACE)
add_library(kiln_test_flags INTERFACE)

# Sanitizers. A fiber changes stacks under ASan's feet, so src/fiber announces each switch with
# __sanitizer_start_switch_fiber and __sanitizer_finish_switch_fiber, and its stacks to the leak check
# with __lsan_register_root_region (KILN_ASAN is defined for that); what remains to be set at run time
# is in tests/asan_options.c, part of every program. QuickJS gets ASan but not UBSan: it relies on
# -fwrapv and on misaligned access by design.
if(KILN_SANITIZE STREQUAL address)
    add_compile_options(-fsanitize=address -fno-omit-frame-pointer)
    target_sources(kiln_program_flags INTERFACE ${CMAKE_SOURCE_DIR}/tests/asan_options.c)
    target_sources(kiln_test_flags INTERFACE ${CMAKE_SOURCE_DIR}/tests/asan_options.c)
    add_link_options(-fsanitize=address,undefined)
    target_compile_options(kiln_flags INTERFACE -fsanitize=undefined -fno-sanitize-recover=undefined)
    target_compile_definitions(kiln_flags INTERFACE KILN_ASAN=1)
    set(CMAKE_C_FLAGS_RELEASE "-O1 -g")
elseif(NOT KILN_SANITIZE STREQUAL off)
    message(FATAL_ERROR "KILN_SANITIZE is '${KILN_SANITIZE}': expected off or address")
endif()

# Link-time optimisation. Objects are "fat": the programs are linked with LTO, the unit tests, many
# and small, use the same libraries without it.
if(KILN_LTO AND CMAKE_BUILD_TYPE STREQUAL Release AND KILN_SANITIZE STREQUAL off
   AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    add_compile_options($<$<COMPILE_LANGUAGE:C>:-flto=auto> $<$<COMPILE_LANGUAGE:C>:-ffat-lto-objects>)
    target_link_options(kiln_program_flags INTERFACE -flto=auto -O2)
    set(CMAKE_AR ${CMAKE_C_COMPILER_AR})
    set(CMAKE_RANLIB ${CMAKE_C_COMPILER_RANLIB})
    target_link_options(kiln_test_flags INTERFACE -fno-lto)
endif()

if(KILN_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "KILN_FUZZ needs clang: cmake -DCMAKE_C_COMPILER=clang")
    endif()
    add_compile_options($<$<COMPILE_LANGUAGE:C>:-fsanitize=fuzzer-no-link>)
endif()
