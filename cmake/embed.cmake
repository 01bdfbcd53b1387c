# Files in a program: kiln_embed(TARGET SYMBOL PATH [DEFLATE]), PATH a file or a directory (DEFLATE: its
# files are kept compressed).
#
# A file becomes   extern const unsigned char SYMBOL[]; extern const size_t SYMBOL_bytes;
#                  (a zero byte follows the contents, not counted)
# a directory      extern const struct embedded_file SYMBOL[]; extern const size_t SYMBOL_count;
#                  sorted by path ("css/site.css"): see the generated header.
# The target includes "embed/SYMBOL.h". The generator, tools/embed.py, says more.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

function(kiln_embed target symbol path)
    get_filename_component(path ${path} ABSOLUTE)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
    set(option)
    if("DEFLATE" IN_LIST ARGN)
        set(option --deflate)
    endif()
    if(IS_DIRECTORY ${path})
        file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${path}/*)
    else()
        set(inputs ${path})
    endif()
    add_custom_command(
        OUTPUT ${out}/embed/${symbol}.c ${out}/embed/${symbol}.h
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed.py ${option} ${symbol} ${path} ${out}/embed
        DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/tools/embed.py
        COMMENT "Embedding ${symbol}" VERBATIM)
    target_sources(${target} PRIVATE ${out}/embed/${symbol}.c ${out}/embed/${symbol}.h)
    target_include_directories(${target} PRIVATE ${out})
endfunction()
