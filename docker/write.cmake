# Run by `cmake --install` (install.cmake): the files that name places of the installation, and those that
# are compressed. Paths are what they will be there; $ENV{DESTDIR} goes before them only for writing.
cmake_policy(VERSION 3.25) # a script run at installation has none of its own
string(RANDOM LENGTH 12 unique) # two installations may be under way
string(APPEND WRITTEN "-${unique}")

# place(OUT DIR) makes a folder below the prefix absolute; what is absolute already stays.
function(place out dir)
  cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
  set(${out} "${dir}" PARENT_SCOPE)
endfunction()

# put(FILE TEXT) installs a text. file(INSTALL) minds DESTDIR and the manifest.
function(put path text)
  cmake_path(GET path PARENT_PATH folder)
  cmake_path(GET path FILENAME name)
  file(WRITE "${WRITTEN}/${name}" "${text}")
  file(INSTALL "${WRITTEN}/${name}" DESTINATION "${folder}")
endfunction()

# put_gz(PATH SOURCE) installs a file compressed, the same bytes every time.
function(put_gz path source)
  cmake_path(GET path PARENT_PATH folder)
  cmake_path(GET path FILENAME name)
  file(MAKE_DIRECTORY "${WRITTEN}")
  execute_process(COMMAND gzip -9nc "${source}" OUTPUT_FILE "${WRITTEN}/${name}" COMMAND_ERROR_IS_FATAL ANY)
  file(INSTALL "${WRITTEN}/${name}" DESTINATION "${folder}")
endfunction()

if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND SYSCONFDIR STREQUAL "etc")
  set(SYSCONFDIR /etc)
endif()
place(bin "${BINDIR}")
place(etc "${SYSCONFDIR}/pricegate")
place(data "${DATADIR}")
place(man "${MANDIR}")
place(doc "${DOCDIR}")
place(units lib/systemd/system)

file(READ "${SOURCE}/docker/pricegate.service" unit)
string(REPLACE "/usr/local/bin/pricegate" "${bin}/pricegate" unit "${unit}")
string(REPLACE "/etc/pricegate" "${etc}" unit "${unit}")
put("${units}/pricegate.service" "${unit}")

# What is configured already is left alone.
if(NOT EXISTS "$ENV{DESTDIR}${etc}/pricegate.json")
  file(READ "${SOURCE}/gateway/config/default.json" config)
  string(REPLACE "\"pricegate.schema.json\"" "\"${data}/pricegate/pricegate.schema.json\"" config "${config}")
  put("${etc}/pricegate.json" "${config}")
endif()

put_gz("${man}/man1/pricegate.1.gz" "${SOURCE}/docker/man/pricegate.1")
put_gz("${man}/man5/pricegate.json.5.gz" "${SOURCE}/docker/man/pricegate.json.5")
put_gz("${doc}/changelog.gz" "${SOURCE}/CHANGELOG.md")

# Debian wants a list of its releases, too.
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${WRITTEN}/changelog.Debian" "pricegate (${VERSION}) unstable; urgency=medium\n
  * See changelog.gz.\n\n -- ${CONTACT}  ${now}\n")
put_gz("${doc}/changelog.Debian.gz" "${WRITTEN}/changelog.Debian")

# Debian's zsh looks elsewhere for what packages bring.
set(functions "${data}/zsh/site-functions")
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
  set(functions "${data}/zsh/vendor-completions")
endif()
file(INSTALL "${SOURCE}/docker/completion/_pricegate" DESTINATION "${functions}")
file(REMOVE_RECURSE "${WRITTEN}")
