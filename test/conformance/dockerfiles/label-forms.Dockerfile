FROM busybox
ARG V=1.0
LABEL one=1 "two words"="a b" three="$V" four=a\ b
LABEL one=changed multi="line \
continued"
LABEL legacy value with spaces
