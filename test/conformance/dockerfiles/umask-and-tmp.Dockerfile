FROM busybox
RUN umask > /mask; touch /tmp/t; mkdir /tmp/d; echo x | tee /var/tmp/v
USER nobody
RUN touch /tmp/by-nobody
