# Secrets of the bench {{ it.bench }}. Made by prodgen: change the bench, not this file.
# sh with-env.sh FILE PROGRAM [ARGUMENT]…: becomes PROGRAM, with the variables of FILE set.
# Nothing of FILE is evaluated or shown. A file or a line that cannot be read starts nothing.

prodgen_fail() {
    printf '%s\n' "$prodgen_file: $1; nothing is started" >&2
    exit 78 # EX_CONFIG of sysexits(3)
}

prodgen_refuse() {
    prodgen_fail "line $prodgen_number is no NAME=VALUE as prodgen takes it (prodgen explain PG125)"
}

# Inside double quotes a backslash guards a quote or another backslash.
prodgen_unescape() {
    prodgen_rest=$prodgen_value
    prodgen_value=
    while :; do
        prodgen_plain=${prodgen_rest%%[\"\\]*}
        prodgen_value=$prodgen_value$prodgen_plain
        prodgen_rest=${prodgen_rest#"$prodgen_plain"}
        case $prodgen_rest in
        '') return ;;
        \\[\"\\]*) prodgen_rest=${prodgen_rest#?} ;;
        *) prodgen_refuse ;;
        esac
        prodgen_value=$prodgen_value${prodgen_rest%"${prodgen_rest#?}"}
        prodgen_rest=${prodgen_rest#?}
    done
}

prodgen_file=$1
prodgen_number=0
shift
[ -e "$prodgen_file" ] || prodgen_fail 'this file of secrets is not there, or may not be seen'
[ -f "$prodgen_file" ] || prodgen_fail 'this is no file'
[ -r "$prodgen_file" ] || prodgen_fail 'this file of secrets may not be read'

# Standard input may be the socket that Supervisor holds, and 3 the one of systemd.
exec 9<"$prodgen_file"
while IFS= read -r prodgen_line <&9 || [ -n "$prodgen_line" ]; do
    prodgen_number=$((prodgen_number + 1))
    case $prodgen_line in
    '' | '#'*) continue ;;
    esac
    prodgen_name=${prodgen_line%%=*}
    prodgen_value=${prodgen_line#*=}
    case $prodgen_name in
    '' | "$prodgen_line" | [0-9]* | *[!A-Za-z0-9_]*) prodgen_refuse ;;
    _ | BASH* | EUID | UID | GROUPS | IFS | LINENO | OLDPWD | PWD | OPTARG | OPTIND | PPID | RANDOM | \
        SECONDS | SHELLOPTS | SHLVL | prodgen_*) prodgen_refuse ;; # a shell's own
    esac
    case $prodgen_value in
    \'*\')
        prodgen_value=${prodgen_value#?}
        prodgen_value=${prodgen_value%?}
        case $prodgen_value in *\'*) prodgen_refuse ;; esac
        ;;
    \"*\")
        prodgen_value=${prodgen_value#?}
        prodgen_value=${prodgen_value%?}
        prodgen_unescape
        ;;
    '' | *[[:space:]\'\"\\\#]*) prodgen_refuse ;;
    esac
    export "$prodgen_name=$prodgen_value"
done
exec 9<&-
exec "$@"
