FROM busybox
RUN echo 'app:x:1500:1500::/home/app:/bin/sh' >> /etc/passwd && echo 'app:x:1500:' >> /etc/group && echo 'extra:x:1600:app' >> /etc/group && mkdir -p /home/app && chown app:app /home/app
USER app
WORKDIR /home/app
COPY --chown=app:extra app.py .
RUN id -un > id && echo $HOME > home && touch made
