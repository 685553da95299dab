FROM busybox
RUN mkdir -p /from/deep && echo x > /from/deep/file && echo y > /file
RUN mv /from /to && mv /file /other
RUN mv /etc/passwd /etc/users
