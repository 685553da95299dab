FROM busybox
ENV A=a B="b c" C='d e' D=f\ g
ENV E ${A}x $B 'q'
ENV F=${A:-no} G=${NOPE:-default} H=${A:+set} I=${NOPE:+set} J=\$A K=${A}${B}
ENV A=changed L=$A
ENV PATH=/extra:$PATH
RUN env | grep -E '^[A-L]=' | sort > /env
