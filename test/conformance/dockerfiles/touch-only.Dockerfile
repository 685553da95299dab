FROM busybox
RUN touch /etc/passwd /bin
RUN true
