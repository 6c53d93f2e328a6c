# Run in the build folder by the target uninstall: removes the files of the last installation, then
# the folders that installations had to make (record.cmake), where nothing else is in them.
if(NOT EXISTS install_manifest.txt)
  message(FATAL_ERROR "uninstall: nothing was installed from here (no install_manifest.txt)")
endif()
file(STRINGS install_manifest.txt files)
foreach(file IN LISTS files)
  message(STATUS "Removing: $ENV{DESTDIR}${file}")
  file(REMOVE "$ENV{DESTDIR}${file}")
endforeach()
if(EXISTS install_folders.txt)
  file(STRINGS install_folders.txt folders)
  list(REMOVE_DUPLICATES folders)
  list(SORT folders ORDER DESCENDING) # what lies inside comes first
  foreach(folder IN LISTS folders)
    execute_process(COMMAND rmdir -- "${folder}" OUTPUT_QUIET ERROR_QUIET) # only where empty
  endforeach()
endif()
file(REMOVE install_manifest.txt install_folders.txt)
