# kiln_layer(NAME LIBRARY…): the static library kiln_NAME from the *.c and *.S of src/NAME and the
# folders in it, main.c apart. A directory without sources is a library without code.
function(kiln_layer name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS
         ${CMAKE_SOURCE_DIR}/src/${name}/*.c ${CMAKE_SOURCE_DIR}/src/${name}/*.S)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(sources)
        add_library(kiln_${name} STATIC ${sources})
        target_link_libraries(kiln_${name} PUBLIC kiln_flags ${ARGN})
    else()
        add_library(kiln_${name} INTERFACE)
        target_link_libraries(kiln_${name} INTERFACE kiln_flags ${ARGN})
    endif()
endfunction()

# kiln_program(NAME SOURCES pattern LIBRARIES …): a program in the root of the build directory.
# Nothing happens while there are no such sources.
function(kiln_program name)
    cmake_parse_arguments(P "" "SOURCES" "LIBRARIES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${P_SOURCES})
    if(NOT sources)
        message(STATUS "no ${P_SOURCES}: ${name} is not built")
        return()
    endif()
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE kiln_flags kiln_program_flags ${P_LIBRARIES})
endfunction()

set(KILN_COMMIT "" CACHE STRING "The commit that kiln names in its version, where the sources have no .git")
set(commit "${KILN_COMMIT}")
if(NOT commit AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
    execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=10 HEAD
                    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(EXISTS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
        set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                     ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
    endif()
endif()

if(NOT commit)
    set(commit devel)
endif()

# Only this file sees the commit: a commit does not rebuild the tree.
set_property(SOURCE ${CMAKE_SOURCE_DIR}/src/cli/version.c APPEND PROPERTY
             COMPILE_DEFINITIONS KILN_COMMIT="${commit}")
