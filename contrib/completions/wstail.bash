# Made from the program's options: WSTAIL_GENERATE=1 cargo test --bin wstail generated::

_wstail() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options i
    COMPREPLY=()
    # In bash, `--color=al` is three words: `--color`, `=` and `al`.
    if [[ $word == '=' ]]; then
        word=
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    # After `--`, nothing is an option.
    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || before=--
    done
    case "$COMP_CWORD ${COMP_WORDS[1]} $before" in
        '1 '*) _wstail_words 'serve tail ls produce demo healthcheck help --help --version' && return ;;
        *' help help') _wstail_words 'serve tail ls produce demo healthcheck' && return ;;
        *' serve --host' | *' serve --port' | *' serve --lines' | *' serve --heartbeat' | *' serve --heartbeat-timeout' | *' serve --poll' | *' serve --rotate-wait' | *' serve --max-connections' | *' serve --max-connections-per-ip' | *' serve --max-scans' | *' serve --zone' | *' serve --allow-origin' | *' serve --allow-host' | *' serve --base-path' | *' serve --stall-timeout') return ;;
        *' serve --format') _wstail_words 'text html' && return ;;
        *' serve --token-file' | *' serve --tls-cert' | *' serve --tls-key') compopt -o default && return ;;
        *' tail -n' | *' tail --lines' | *' tail -g' | *' tail --grep' | *' tail -v' | *' tail --exclude' | *' tail -A' | *' tail --after-context' | *' tail -B' | *' tail --before-context' | *' tail -C' | *' tail --context' | *' tail -m' | *' tail --max' | *' tail -S' | *' tail --since' | *' tail -U' | *' tail --until' | *' tail --zone' | *' tail --after-cursor' | *' tail --merge-wait' | *' tail --max-logs') return ;;
        *' tail -l' | *' tail --level') _wstail_words 'trace debug info notice warn error fatal' && return ;;
        *' tail --cursor-file' | *' tail --token-file' | *' tail --ca-file') compopt -o default && return ;;
        *' tail --cursor-dir') compopt -o dirnames && return ;;
        *' tail -o' | *' tail --output') _wstail_words 'text raw json' && return ;;
        *' tail --color' | *' tail --prefix') _wstail_words 'auto always never' && return ;;
        *' tail --retry') _wstail_words 'auto never' && return ;;
        *' ls -o' | *' ls --output') _wstail_words 'text json' && return ;;
        *' ls --token-file' | *' ls --ca-file') compopt -o default && return ;;
        *' produce --rate' | *' produce --count' | *' produce --message' | *' produce --rotate' | *' produce --rotate-name' | *' produce --keep') return ;;
        *' produce --rotate-how') _wstail_words 'rename copytruncate' && return ;;
        *' demo --seconds') return ;;
        *' healthcheck --ca-file') compopt -o default && return ;;
    esac
    case ${COMP_WORDS[1]} in
        serve) options='--host --port --lines --heartbeat --heartbeat-timeout --poll --rotate-wait --format --max-connections --max-connections-per-ip --max-scans --zone --allow-origin --allow-host --token-file --tls-cert --tls-key --base-path --stall-timeout --hidden -h --help' ;;
        tail) options='-n --lines -f --follow --no-follow -g --grep --all-match -v --exclude --fixed-strings -i --ignore-case -s --case-sensitive -A --after-context -B --before-context -C --context --entry -l --level -m --max -S --since -U --until --zone --history --cursor-file --cursor-dir --after-cursor --show-cursor --merge --merge-wait --verify -o --output --color --prefix --max-logs --retry --token-file --ca-file --insecure -q --quiet -h --help' ;;
        ls) options='-o --output --token-file --ca-file --insecure -h --help' ;;
        produce) options='--rate --count --message --rotate --rotate-how --rotate-name --keep --stamp -h --help' ;;
        demo) options='--seconds -h --help' ;;
        healthcheck) options='--ca-file --insecure -h --help' ;;
        *) return ;;
    esac
    if [[ $word == -* && $before != -- ]]; then
        _wstail_words "$options"
    elif [[ ${COMP_WORDS[1]} == @(serve|ls|produce) ]]; then
        compopt -o default
    fi
}

_wstail_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

complete -F _wstail wstail
