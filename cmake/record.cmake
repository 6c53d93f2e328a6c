# Run by an installation before it copies: adds the folders that it will have to make to ${record},
# for uninstall.cmake. ${folders} are relative to the prefix, or absolute.
foreach(folder IN LISTS folders)
  cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
  set(folder "$ENV{DESTDIR}${folder}")
  while(NOT EXISTS "${folder}")
    file(APPEND "${record}" "${folder}\n")
    cmake_path(GET folder PARENT_PATH folder)
  endwhile()
endforeach()
