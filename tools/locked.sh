#!/bin/sh
# Prints NAME==VERSION as uv.lock has it, for the one package that pip must install before uv can.
awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/[^0-9.]/, ""); print name "==" $0; exit }' uv.lock
