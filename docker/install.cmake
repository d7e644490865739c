# What `cmake --install` puts where, and the Debian package made of the same (./dev package).
#
#   bin/pricegate                              the program; everything it needs is compiled in
#   etc/pricegate/pricegate.json               the built-in configuration to begin with (/etc under /usr)
#   lib/systemd/system/pricegate.service       the service, for that program and that file
#   share/man, share/bash-completion, share/zsh
#   share/pricegate/pricegate.schema.json      the configuration as a JSON Schema, for editors
#   share/pricegate/web                        a copy of the page, to begin with for listen.web_root
#   share/doc/pricegate                        README and so on, examples of subscribers, monitoring and proxies
#
# The prefix may be given as late as to `cmake --install`, and CPack has its own; so what depends on it
# is written at installation (write.cmake).
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # the tests are no part of it
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(RUNS PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS}) # not what the checkout's umask left of it
set(DATA ${CMAKE_INSTALL_DATADIR}/pricegate)

install(TARGETS pricegate)
install(FILES gateway/config/pricegate.schema.json DESTINATION ${DATA})
file(GLOB CLIENT_FILES CONFIGURE_DEPENDS web/client/*.d.ts web/client/package.json web/client/README.md)
foreach(file ${WEB_FILES} ${CLIENT_FILES})
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE path)
  cmake_path(GET path PARENT_PATH folder)
  install(FILES ${file} DESTINATION ${DATA}/${folder})
endforeach()
install(FILES README.md SECURITY.md docker/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY web/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN node_modules EXCLUDE  PATTERN *.py ${RUNS}  PATTERN *.sh ${RUNS}  PATTERN show.sh EXCLUDE)
install(FILES web/examples/shell/show.sh DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/shell)
install(DIRECTORY docker/prometheus docker/grafana DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/monitoring)
install(DIRECTORY docker/nginx docker/haproxy DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/proxies)
install(FILES docker/completion/pricegate.bash RENAME pricegate
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(PACKAGE_CONTACT "the authors of pricegate <pricegate@localhost>" CACHE STRING "who answers for the package")
set(PACKAGE_RELEASE 1)
install(CODE "set(VERSION ${PROJECT_VERSION}-${PACKAGE_RELEASE})\nset(CONTACT \"${PACKAGE_CONTACT}\")")
install(CODE "set(SOURCE \"${CMAKE_SOURCE_DIR}\")\nset(WRITTEN \"${CMAKE_BINARY_DIR}/installed\")")
foreach(dir BINDIR SYSCONFDIR DATADIR MANDIR DOCDIR)
  install(CODE "set(${dir} \"${CMAKE_INSTALL_${dir}}\")")
endforeach()
install(SCRIPT docker/write.cmake)

# The package. dpkg-shlibdeps reads from the program which libraries it needs, and their versions. What
# it cannot see: libwebsockets loads its libuv part at run time, curl reads the trusted certificates, GLib
# the time zones.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pricegate)
set(CPACK_PACKAGE_CONTACT "${PACKAGE_CONTACT}")
set(CPACK_DEBIAN_PACKAGE_RELEASE ${PACKAGE_RELEASE})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gateway for realtime prices")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Asks market-data providers for prices, with fallback and within their quota,
keeps the latest quote of each instrument in memory or in Redis, and pushes it
to every browser (WebSocket, Server-Sent Events), REST caller and Redis
subscriber, with who said it and how old it is. With a dashboard.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libwebsockets-evlib-uv, ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server")
file(GLOB CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/docker/debian/*)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
