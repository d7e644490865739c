# Compiles files into the program as byte arrays: web/ and the shipped configurations.
# The assembler's .incbin does the work, so that no generator has to be written or trusted. What browsers
# load is there a second time, compressed. Not so documents: nothing in them is secret, but a compressed page is
# what scanners of TLS look for (BREACH), and 4 KB are not worth a "potentially vulnerable" in everybody's report.
file(GLOB_RECURSE WEB_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*.html ${CMAKE_SOURCE_DIR}/web/*.js
  ${CMAKE_SOURCE_DIR}/web/*.css ${CMAKE_SOURCE_DIR}/web/*.svg ${CMAKE_SOURCE_DIR}/web/*.txt)
# web/examples/ are for other people's sites: they name a gateway's address and are served from elsewhere.
list(FILTER WEB_FILES EXCLUDE REGEX "/node_modules/|/web/examples/")
list(APPEND WEB_FILES ${CMAKE_SOURCE_DIR}/web/openapi.json ${CMAKE_SOURCE_DIR}/web/asyncapi.json)
list(SORT WEB_FILES)
file(GLOB CONFIG_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gateway/config/*.json)

set(EMBED_ASM "    .section .rodata\n")
set(EMBED_ROWS "")
set(EMBED_EXTERNS "")
set(n 0)
foreach(file ${WEB_FILES} ${CONFIG_FILES})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${file})
  string(APPEND EMBED_ASM "    .global embedded_${n}\n    .global embedded_${n}_end\n"
    "embedded_${n}:\n    .incbin \"${file}\"\nembedded_${n}_end:\n    .byte 0\n")
  string(APPEND EMBED_EXTERNS "extern const char embedded_${n}[], embedded_${n}_end[];\n")
  set(gzip "0, 0")
  if(path MATCHES "^web/" AND NOT path MATCHES "\\.html$")
    set(packed ${CMAKE_BINARY_DIR}/packed/${n}.gz)
    add_custom_command(OUTPUT ${packed} DEPENDS ${file} VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/packed
      COMMAND sh -c "gzip -9nc '${file}' > '${packed}'")
    list(APPEND PACKED_FILES ${packed})
    string(APPEND EMBED_ASM "    .global embedded_gzip_${n}\n    .global embedded_gzip_${n}_end\n"
      "embedded_gzip_${n}:\n    .incbin \"${packed}\"\nembedded_gzip_${n}_end:\n    .byte 0\n")
    string(APPEND EMBED_EXTERNS "extern const char embedded_gzip_${n}[], embedded_gzip_${n}_end[];\n")
    set(gzip "embedded_gzip_${n}, embedded_gzip_${n}_end")
  endif()
  string(APPEND EMBED_ROWS "    {\"${path}\", embedded_${n}, embedded_${n}_end, ${gzip}},\n")
  math(EXPR n "${n}+1")
endforeach()
string(APPEND EMBED_ASM "    .section .note.GNU-stack,\"\",%progbits\n")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded_data.S CONTENT "${EMBED_ASM}" @ONLY)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded_table.c CONTENT
"#include \"embedded.h\"\n${EMBED_EXTERNS}const struct embedded_file embedded_files[] = {\n${EMBED_ROWS}    {0},\n};\n" @ONLY)
set_property(SOURCE ${CMAKE_BINARY_DIR}/embedded_data.S APPEND PROPERTY OBJECT_DEPENDS "${WEB_FILES};${CONFIG_FILES};${PACKED_FILES}")
enable_language(ASM)
add_library(embedded STATIC ${CMAKE_BINARY_DIR}/embedded_data.S ${CMAKE_BINARY_DIR}/embedded_table.c)
target_include_directories(embedded PRIVATE gateway/base)
