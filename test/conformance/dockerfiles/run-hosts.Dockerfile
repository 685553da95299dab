# options: --add-host example.test:10.1.2.3
FROM busybox
RUN grep example.test /etc/hosts | tr -s '\t ' ' ' > /found
