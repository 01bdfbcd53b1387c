# Pages built by npm: kiln_web(NAME SOURCE_DIR SYMBOL PATH) runs `npm run build` of SOURCE_DIR in the
# build directory, so that the source tree stays clean and two build directories do not meet, and
# embeds its dist/PATH (a file, or the directory with ".") as SYMBOL, see cmake/embed.cmake. Runs
# again only when a source has changed. NAME_web_files lists what a target has to compile; the target
# includes ${CMAKE_CURRENT_BINARY_DIR}/generated.

find_program(NPM npm)
if(NOT NPM)
    message(FATAL_ERROR "cannot find npm, which builds the web pages: run tools/setup.sh build")
endif()

function(kiln_web name source symbol path)
    set(work ${CMAKE_CURRENT_BINARY_DIR}/${name}_page)
    set(embedded ${CMAKE_CURRENT_BINARY_DIR}/generated/embed/${symbol})
    set(packages ${source}/package.json ${source}/package-lock.json ${source}/.npmrc)
    file(GLOB scripts CONFIGURE_DEPENDS ${source}/*.mjs)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${source}/src/*)

    add_custom_command(
        OUTPUT ${work}/packages.stamp
        COMMAND ${CMAKE_COMMAND} -E make_directory ${work}
        COMMAND ${CMAKE_COMMAND} -E copy ${packages} ${work}
        COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${NPM} ci --loglevel=error
        COMMAND ${CMAKE_COMMAND} -E touch ${work}/packages.stamp
        DEPENDS ${packages}
        COMMENT "Installing the build tools of the ${name} page" VERBATIM)

    add_custom_command(
        OUTPUT ${embedded}.c ${embedded}.h
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${work}/src ${work}/dist
        COMMAND ${CMAKE_COMMAND} -E copy ${scripts} ${source}/tsconfig.json ${work}
        COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/src ${work}/src
        COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${NPM} run --silent build
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed.py ${symbol}
                ${work}/dist/${path} ${CMAKE_CURRENT_BINARY_DIR}/generated/embed
        DEPENDS ${work}/packages.stamp ${scripts} ${files} ${source}/tsconfig.json
                ${CMAKE_SOURCE_DIR}/tools/embed.py
        COMMENT "Building the ${name} page" VERBATIM)
    set(${name}_web_files ${embedded}.c ${embedded}.h PARENT_SCOPE)
endfunction()
