# Prints what zsh completes at the end of each line, and ===== behind each: zsh -f capture.zsh SCRIPT LINE ...
# Completion runs only in the line editor, so another zsh gets a terminal, and says what is added with compadd.
zmodload zsh/zpty || exit 3
zpty inner zsh -f -i
() {
    zpty -w inner "source $1"
    local said
    while zpty -r inner said; do
        [[ $said == *ready* ]] && return
    done
    exit 2
} =(<<<"
PROMPT= ; unsetopt zle_bracketed_paste beep 2>/dev/null; unset zle_bracketed_paste
autoload -Uz compinit; compinit -u -D
source ${(q)1}
bindkey '^I' complete-word
bindkey '^U' kill-buffer
LISTMAX=10000
zstyle ':completion:*' insert-tab false
compadd() {
    if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd \"\$@\"
        return
    fi
    local -a found
    builtin compadd -A found \"\$@\"
    (( \$#found )) && print -rl -- '<'\${^found}'>'
    builtin compadd \"\$@\"
}
before() { print '<<<' }
# Both lists are emptied whenever they are run.
after() { print '>>>'; compprefuncs=(before) comppostfuncs=(after) }
compprefuncs=(before) comppostfuncs=(after)
print rea''dy
")
for line in "${@:2}"; do
    zpty -w -n inner $'\C-U'"$line"$'\t'
    integer within=0
    while zpty -r inner said; do
        case $said in
            *'<<<'*) within=1 ;;
            *'>>>'*) break ;;
            *) (( within )) && [[ $said == *'<'*'>'* ]] && print -r -- ${${said##*<}%%>*} ;;
        esac
    done
    print '====='
done
