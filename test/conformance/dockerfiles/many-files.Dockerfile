FROM busybox
RUN mkdir /m && cd /m && for i in $(seq 500); do echo $i > f$i; done
RUN cd /m && rm f1?? && for i in $(seq 20); do ln f$i l$i; done
