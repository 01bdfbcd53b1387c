# Libraries of the machine, by pkg-config name. tools/setup.sh installs their packages: a new line
# here is a new package there.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

function(kiln_pkg prefix)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${ARGN})
    if(NOT ${prefix}_FOUND)
        message(FATAL_ERROR "cannot find ${ARGN}: run tools/setup.sh build, which installs what is missing")
    endif()
endfunction()

kiln_pkg(UV libuv)
kiln_pkg(JANSSON jansson)
kiln_pkg(GUMBO gumbo)
kiln_pkg(OPENSSL openssl)
kiln_pkg(CARES libcares)
kiln_pkg(NGHTTP2 libnghttp2)
kiln_pkg(ZLIB zlib)
kiln_pkg(BROTLI libbrotlidec libbrotlienc)
kiln_pkg(ZSTD libzstd)
kiln_pkg(MICROHTTPD libmicrohttpd)
kiln_pkg(SQLITE3 sqlite3)
kiln_pkg(LIBPQ libpq)
kiln_pkg(CRYPT libcrypt)
