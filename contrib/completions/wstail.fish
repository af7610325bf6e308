# Made from the program's options: WSTAIL_GENERATE=1 cargo test --bin wstail generated::

# Whether the command line is for this command of wstail; without an argument, whether it has no command yet.
function __wstail_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; or return (count $argv)
    test $words[2] = $argv[1]
end

complete -c wstail -f
complete -c wstail -n __wstail_is -a serve -d 'Serve files, or all files in directories, over WebSocket and HTTP.'
complete -c wstail -n __wstail_is -a tail -d 'Print the last lines of logs, on a server or on this machine, and follow them.'
complete -c wstail -n __wstail_is -a ls -d 'List the logs of a server, the most recently written first.'
complete -c wstail -n __wstail_is -a produce -d 'Write a log that rotates, for demonstrations and tests.'
complete -c wstail -n __wstail_is -a demo -d 'Write a log, serve it and follow it until you press Ctrl-C.'
complete -c wstail -n __wstail_is -a healthcheck -d 'Check that a server answers 200 within 2 s.'
complete -c wstail -n __wstail_is -a help -d 'Print the options of a command.'
complete -c wstail -n __wstail_is -s V -l version -d 'print the version'
complete -c wstail -s h -l help -d 'print help'
complete -c wstail -n '__wstail_is help' -a 'serve tail ls produce demo healthcheck'

complete -c wstail -n '__wstail_is serve' -F
complete -c wstail -n '__wstail_is serve' -l host -x -d 'address to listen on; repeatable'
complete -c wstail -n '__wstail_is serve' -l port -x -d 'port to listen on; 0 picks a free one'
complete -c wstail -n '__wstail_is serve' -l lines -x -d 'lines to send first (or `all`), unless the client asks otherwise'
complete -c wstail -n '__wstail_is serve' -l heartbeat -x -d 'seconds between heartbeats'
complete -c wstail -n '__wstail_is serve' -l heartbeat-timeout -x -d 'seconds a client has to answer a heartbeat'
complete -c wstail -n '__wstail_is serve' -l poll -x -d 'check logs on NFS, FUSE etc. every MILLIS'
complete -c wstail -n '__wstail_is serve' -l rotate-wait -x -d 'wait for late writes to a rotated file'
complete -c wstail -n '__wstail_is serve' -l format -xa 'text html' -d 'format of WebSocket streams without the subprotocol wstail.v1: text or html'
complete -c wstail -n '__wstail_is serve' -l max-connections -x -d 'maximum connections; more get 503'
complete -c wstail -n '__wstail_is serve' -l max-connections-per-ip -x -d 'maximum per IP (IPv6: /64); 0: no limit'
complete -c wstail -n '__wstail_is serve' -l max-scans -x -d 'maximum clients that search old data or unpack files at the same time; the others wait their turn'
complete -c wstail -n '__wstail_is serve' -l zone -x -d 'zone of times without one, in logs and requests: local, UTC, ±HH:MM or a name such as Europe/Berlin'
complete -c wstail -n '__wstail_is serve' -l allow-origin -x -d 'allow web pages from this origin (`*`: any); repeatable'
complete -c wstail -n '__wstail_is serve' -l allow-host -x -d 'accept requests for this host name, besides the names of the machine; repeatable'
complete -c wstail -n '__wstail_is serve' -l token-file -rF -d 'require a token from FILE; or just set $WSTAIL_TOKEN'
complete -c wstail -n '__wstail_is serve' -l tls-cert -rF -d 'serve TLS only, with this certificate chain (PEM)'
complete -c wstail -n '__wstail_is serve' -l tls-key -rF -d 'the certificate\'s private key (PEM)'
complete -c wstail -n '__wstail_is serve' -l base-path -x -d 'URL path prefix, behind a reverse proxy'
complete -c wstail -n '__wstail_is serve' -l stall-timeout -x -d 'drop a client that takes no data for SECS'
complete -c wstail -n '__wstail_is serve' -l hidden -d 'also serve hidden files and directories'

complete -c wstail -n '__wstail_is tail' -s n -l lines -x -d 'last N lines, `all`, or +N: from line N on; with -S, -U, or a filter and --no-follow the default is all'
complete -c wstail -n '__wstail_is tail' -s f -l follow -d 'follow the log (the default; also -F)'
complete -c wstail -n '__wstail_is tail' -l no-follow -d 'stop at the end of the log'
complete -c wstail -n '__wstail_is tail' -s g -l grep -x -d 'print only lines that match; repeatable: any of them'
complete -c wstail -n '__wstail_is tail' -l all-match -d 'a line must match every -g, not just one'
complete -c wstail -n '__wstail_is tail' -s v -l exclude -x -d 'leave out lines that match, also from those that -g finds (grep\'s -v inverts -g instead); repeatable'
complete -c wstail -n '__wstail_is tail' -l fixed-strings -d 'patterns are texts, not regular expressions'
complete -c wstail -n '__wstail_is tail' -s i -l ignore-case -d 'ignore case also in patterns with capital letters'
complete -c wstail -n '__wstail_is tail' -s s -l case-sensitive -d 'never ignore case (grep\'s -s hides errors instead)'
complete -c wstail -n '__wstail_is tail' -s A -l after-context -x -d 'also print N lines after each match'
complete -c wstail -n '__wstail_is tail' -s B -l before-context -x -d 'also print N lines before each match'
complete -c wstail -n '__wstail_is tail' -s C -l context -x -d 'also print N lines before and after each match'
complete -c wstail -n '__wstail_is tail' -l entry -d 'also print the rest of each match\'s entry (stack traces)'
complete -c wstail -n '__wstail_is tail' -s l -l level -xa 'trace debug info notice warn error fatal' -d 'print entries of this level or a graver one: trace, debug, info, notice, warn, error, fatal'
complete -c wstail -n '__wstail_is tail' -s m -l max -x -d 'stop after N matching lines, of each log as grep does of each file'
complete -c wstail -n '__wstail_is tail' -s S -l since -x -d 'start at TIME, also in rotated files: 2026-11-23, 01:32, yesterday, 10m (ago), or as the log writes it'
complete -c wstail -n '__wstail_is tail' -s U -l until -x -d 'stop before the first line at TIME (journalctl prints it), or +DURATION after --since; implies --no-follow'
complete -c wstail -n '__wstail_is tail' -l zone -x -d 'zone of times that name none: local, UTC, ±HH:MM or a name such as Europe/Berlin'
complete -c wstail -n '__wstail_is tail' -l history -d 'also print lines of rotated files (-S and -U always do)'
complete -c wstail -n '__wstail_is tail' -l cursor-file -rF -d 'resume from the cursor in FILE, and save new ones there'
complete -c wstail -n '__wstail_is tail' -l cursor-dir -xa '(__fish_complete_directories)' -d 'resume each log from its cursor file in DIR, and save new cursors there'
complete -c wstail -n '__wstail_is tail' -l after-cursor -x -d 'resume after CURSOR, if --cursor-file has none'
complete -c wstail -n '__wstail_is tail' -l show-cursor -d 'print `-- cursor: CURSOR` on stderr at exit'
complete -c wstail -n '__wstail_is tail' -l merge -d 'print the entries of all logs in the order of their times'
complete -c wstail -n '__wstail_is tail' -l merge-wait -x -d 'with --merge, hold each entry of a followed log for SECS'
complete -c wstail -n '__wstail_is tail' -l verify -d 'check lines of `produce --stamp`; exit 1 on any fault'
complete -c wstail -n '__wstail_is tail' -s o -l output -xa 'text raw json' -d 'text, raw, or json (one object per line)'
complete -c wstail -n '__wstail_is tail' -l color -xa 'auto always never' -d 'colours of the log: auto, always, never'
complete -c wstail -n '__wstail_is tail' -l prefix -xa 'auto always never' -d 'the log\'s name before each line: auto (if there are several logs), always, never'
complete -c wstail -n '__wstail_is tail' -l max-logs -x -d 'follow N logs at most; exit 1 if there are more'
complete -c wstail -n '__wstail_is tail' -l retry -xa 'auto never' -d 'reconnect: auto (until Ctrl-C) or never'
complete -c wstail -n '__wstail_is tail' -l token-file -rF -d 'file with the server\'s token (else $WSTAIL_TOKEN)'
complete -c wstail -n '__wstail_is tail' -l ca-file -rF -d 'trusted certificates (PEM)'
complete -c wstail -n '__wstail_is tail' -l insecure -d 'do not check the server\'s certificate (unsafe)'
complete -c wstail -n '__wstail_is tail' -s q -l quiet -d 'print no notices on stderr'

complete -c wstail -n '__wstail_is ls' -F
complete -c wstail -n '__wstail_is ls' -s o -l output -xa 'text json' -d 'text, or json (one object per line)'
complete -c wstail -n '__wstail_is ls' -l token-file -rF -d 'file with the server\'s token (else $WSTAIL_TOKEN)'
complete -c wstail -n '__wstail_is ls' -l ca-file -rF -d 'trusted certificates (PEM)'
complete -c wstail -n '__wstail_is ls' -l insecure -d 'do not check the server\'s certificate (unsafe)'

complete -c wstail -n '__wstail_is produce' -F
complete -c wstail -n '__wstail_is produce' -l rate -x -d 'lines per second; 0: as fast as possible'
complete -c wstail -n '__wstail_is produce' -l count -x -d 'stop after N lines'
complete -c wstail -n '__wstail_is produce' -l message -x -d 'text of each line'
complete -c wstail -n '__wstail_is produce' -l rotate -x -d 'rotate at this size; 0: never'
complete -c wstail -n '__wstail_is produce' -l rotate-how -xa 'rename copytruncate' -d 'how to rotate: rename or copytruncate'
complete -c wstail -n '__wstail_is produce' -l rotate-name -x -d 'name of rotated files, with {n} or {time}'
complete -c wstail -n '__wstail_is produce' -l keep -x -d 'number of rotated files to keep'
complete -c wstail -n '__wstail_is produce' -l stamp -d 'number the lines and add checksums, for `tail --verify`'

complete -c wstail -n '__wstail_is demo' -l seconds -x -d 'stop after N seconds'

complete -c wstail -n '__wstail_is healthcheck' -l ca-file -rF -d 'trusted certificates (PEM)'
complete -c wstail -n '__wstail_is healthcheck' -l insecure -d 'do not check the server\'s certificate (unsafe)'
