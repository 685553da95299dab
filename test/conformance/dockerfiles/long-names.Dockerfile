FROM busybox
RUN n=abcdefghijklmnopqrstuvwxyz; d=/$n$n$n$n; mkdir -p $d/$d/$d && echo x > $d/$d/$d/$n$n$n$n$n$n$n$n.txt && ln -s $d/$d/$d /long
